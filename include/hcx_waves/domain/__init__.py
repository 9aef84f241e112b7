"""What a wave is: its file, its windows, its plan, its findings and its outcomes. Pure values, no input or output
but the reading of wave files, and neither Airflow nor clients.

- :mod:`~hcx_waves.domain.loader` reads wave files, :mod:`~hcx_waves.domain.wave` is what they become;
- :mod:`~hcx_waves.domain.clock` turns local times into instants, for the wave's night or any other;
- :mod:`~hcx_waves.domain.plan` is the wave resolved against the inventory;
- :mod:`~hcx_waves.domain.findings` and :mod:`~hcx_waves.domain.states` are what is found and what comes of it.
"""
