"""The processes that the demo starts: PostgreSQL, the simulated sites, the twin server and Airflow."""

from hcx_demo.stack.stack import Stack, StackOptions, require_project

__all__ = ["Stack", "StackOptions", "require_project"]
