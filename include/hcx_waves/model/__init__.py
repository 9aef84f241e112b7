"""The data that all other packages use: plan, schedule, findings, outcomes, expectation. No input, no output.

- :mod:`~hcx_waves.model.plan` is a wave resolved against the inventory;
- :mod:`~hcx_waves.model.schedule` holds its instants;
- :mod:`~hcx_waves.model.findings` and :mod:`~hcx_waves.model.states` say what was found and what became of it.
"""
