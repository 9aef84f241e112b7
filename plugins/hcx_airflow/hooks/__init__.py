"""Connections to HCX, NSX, VMware Cloud and vCenter. Nothing is imported here, so that parsing a DAG stays cheap."""
