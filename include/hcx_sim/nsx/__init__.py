"""The simulated NSX Policy managers of both sites."""
