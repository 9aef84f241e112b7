"""The clock of a run: the system's, or that of a rehearsal's twin. Imports nothing."""
