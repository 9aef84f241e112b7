"""One wave and its cleanup on a running stack, shown while it runs: ``make demo``."""
