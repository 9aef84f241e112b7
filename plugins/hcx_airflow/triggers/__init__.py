"""Triggers: wait in the triggerer. Class paths and arguments are stored with every deferred task: additive only."""
