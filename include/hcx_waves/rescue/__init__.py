"""The way back without Airflow: what is found of a wave in files and at the products, and what can be done about it."""
