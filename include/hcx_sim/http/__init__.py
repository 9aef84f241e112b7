"""How requests of all simulated products reach their world."""
