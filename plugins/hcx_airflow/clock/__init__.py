"""Which clock a run goes by: the system's, or that of the world that a rehearsal works in. Nothing is imported here."""
