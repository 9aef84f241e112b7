"""The commands ``demo`` and ``rehearse``: simulated sites, Airflow and a wave on this machine, with one command.

Everything here starts other programs as processes and talks to them over loopback. Neither Airflow nor the simulator is
imported; of the project's Airflow layer, only names and connection prefixes are.
"""
