"""Many rehearsed nights of a wave on a stack of their own: ``make rehearse``."""
