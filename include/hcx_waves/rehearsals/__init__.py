"""Records of rehearsed nights, and what all of a wave's nights say together."""
