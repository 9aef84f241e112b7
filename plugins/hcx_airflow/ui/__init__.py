"""What Airflow's own processes load of ours: links, the board, and what is imported ahead of time."""
