"""By which time a run goes: real time, or the time of a rehearsal's own world. Nothing is imported here."""
