"""Makes DAGs of wave files: for each wave a live DAG and, if there is something to clean up, a cleanup DAG.

Parsing touches nothing: no connection, no network, no inventory; wave files are all that is read. The rehearsal DAG
(``rehearsal__<wave>``) has its place beside the other two in :mod:`~hcx_airflow.dag_factory.loader`.
"""
