"""What a rehearsed run is about: its night, faults, snapshot and twin. Nothing is imported here."""
