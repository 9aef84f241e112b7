"""The truth of the simulated site pair, independent of any product or client."""
