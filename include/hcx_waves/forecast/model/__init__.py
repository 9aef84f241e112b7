"""The model of a wave's nights: what is given, what chance decides, and how the nights pass."""
