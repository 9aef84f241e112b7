"""The board: pages in Airflow's user interface with the results of a wave's rehearsals."""
