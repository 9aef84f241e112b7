"""The checks: one per module, each with a ``CHECK``."""
