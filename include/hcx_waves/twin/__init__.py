"""The twin of a site pair from a rehearsal's side: the simulator's control API, and a clock that only it moves."""
