"""Moving the virtual machines of a wave: start, watch, release, cancel, prove. Needs clients, not Airflow."""
