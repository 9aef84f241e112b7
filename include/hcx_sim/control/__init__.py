"""The control API: worlds, clock, faults, audit and oracle, on a port of its own with a token of its own."""
