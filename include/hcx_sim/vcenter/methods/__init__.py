"""What the managed objects can do, one module per family of methods."""
