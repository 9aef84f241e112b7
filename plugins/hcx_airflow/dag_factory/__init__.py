"""Makes DAGs of wave files: for each wave a live DAG, a rehearsal DAG and, if there is something to clean up, a
cleanup DAG.

Parsing touches nothing: no connection, no network, no inventory; wave files are all that is read.
"""
