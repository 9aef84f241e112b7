"""The two simulated HCX managers: sessions, inventory, interconnect and network extension."""
