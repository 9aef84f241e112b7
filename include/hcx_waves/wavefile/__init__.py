"""Wave files: their format, how they are read, and every rule they must keep.

- :mod:`~hcx_waves.wavefile.loader` reads a file, :mod:`~hcx_waves.wavefile.wave` is what it becomes;
- :mod:`~hcx_waves.wavefile.clock` turns local times into instants, for the wave's own night or for another;
- :mod:`~hcx_waves.wavefile.sets` compares the waves of a folder with each other.
"""
