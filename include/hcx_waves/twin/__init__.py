"""The twin as a rehearsal uses it: the simulator's control API, and the twin's clock."""
