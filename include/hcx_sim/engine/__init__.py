"""Virtual clock, discrete events and seeded randomness of one simulated world."""
