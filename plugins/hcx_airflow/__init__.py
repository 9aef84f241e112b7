"""The Airflow layer of hcx-waves: hooks, triggers, sensors, operators, gates, and the factory that makes DAGs."""
