"""The simulated VMware Cloud and its sign-in service."""
