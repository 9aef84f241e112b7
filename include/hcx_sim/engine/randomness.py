"""Seeded randomness with one independent stream per purpose.

A draw for one VM must not shift the draws of another, else adding a call would change everything after it:
each stream is derived from the world's seed and a name.
"""

from __future__ import annotations

import hashlib
import random
import uuid


class Randomness:
    """Named pseudo-random streams of one world; not for secrets of real systems."""

    def __init__(self, seed: int) -> None:
        """Derive all streams from ``seed``."""
        self.seed = seed
        self._streams: dict[str, random.Random] = {}

    def stream(self, name: str) -> random.Random:
        """Return the stream called ``name``, created on first use."""
        if name not in self._streams:
            digest = hashlib.sha256(f"{self.seed}/{name}".encode()).digest()
            self._streams[name] = random.Random(int.from_bytes(digest[:8], "big"))  # noqa: S311
        return self._streams[name]

    def uuid(self, name: str) -> str:
        """Return the next version 4 shaped UUID of the stream ``name``."""
        return str(uuid.UUID(int=self.stream(name).getrandbits(128), version=4))

    def stable_uuid(self, name: str) -> str:
        """Return a UUID that depends only on the seed and ``name``, not on how often it is asked."""
        digest = hashlib.sha256(f"{self.seed}/uuid/{name}".encode()).digest()
        return str(uuid.UUID(bytes=digest[:16], version=4))

    def stable_share(self, name: str) -> float:
        """Return a number from 0 up to 1 that depends only on the seed and ``name``, not on how often it is asked."""
        digest = hashlib.sha256(f"{self.seed}/share/{name}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64

    def token(self, name: str, length: int = 32) -> str:
        """Return the next hexadecimal token of ``length`` characters of the stream ``name``."""
        return f"{self.stream(name).getrandbits(length * 4):0{length}x}"
