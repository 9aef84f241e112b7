"""The Airflow-free core of hcx-waves."""
