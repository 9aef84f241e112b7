"""The simulated HCX, NSX, VMC and vCenter site pair."""
