"""Network extension: stretching a network to the other site, taking it back, and what rides on it."""
