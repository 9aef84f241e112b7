"""Migrating the VMs of a wave: start, watch, release, cancel, verify. Needs clients, not Airflow."""
