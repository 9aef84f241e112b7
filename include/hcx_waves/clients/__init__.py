"""Typed clients of HCX, NSX Policy, VMware Cloud and vCenter."""
