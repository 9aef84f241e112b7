"""Property providers, one module per family of managed types."""
