"""Records of rehearsed nights, and the summary of a wave's nights."""
