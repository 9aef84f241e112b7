"""The actions that a person can press, one module each, and the table of them."""
