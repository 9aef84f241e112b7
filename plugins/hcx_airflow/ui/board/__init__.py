"""Pages in Airflow's user interface: what the rehearsals of a wave say together."""
