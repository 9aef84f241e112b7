"""The simulated vCenters: a SOAP server on pyVmomi's own types and serialiser."""
