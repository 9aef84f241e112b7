"""Sensors: wait without a worker slot and end in success with an outcome, which the next task judges."""
