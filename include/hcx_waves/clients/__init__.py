"""Typed clients of HCX, NSX Policy, VMware Cloud and vCenter: what the products offer, no policy above it.

``hcx.HcxClient``, ``nsx.NsxPolicyClient``, ``vmc.VmcClient`` and ``vsphere.VsphereClient`` share one error tree
(``errors``), one way to trust an endpoint (``tls``) and one way to tell a simulated endpoint from the real
product (``identity``). Nothing is imported here, so that a REST client does not cost the import of pyvmomi.
"""
