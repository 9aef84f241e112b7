"""Rehearsals of a wave for many nights on a stack of their own: ``make rehearse``."""
