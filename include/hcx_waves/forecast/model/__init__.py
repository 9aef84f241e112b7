"""The discrete-event model that plays the nights of a wave: its input, its parameters and its parts."""
