"""A rehearsal's night, faults, snapshot and twin. Imports nothing."""
