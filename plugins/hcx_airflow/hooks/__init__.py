"""Connections to HCX, NSX, VMware Cloud and vCenter. Imports nothing, so that parsing a DAG stays cheap."""
