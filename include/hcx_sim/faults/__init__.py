"""Faults as data: rules that enter at the socket or in the engine, never in a client."""
