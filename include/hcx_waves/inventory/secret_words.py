"""Recognise passwords in notes that people write; the text itself is never returned."""

from __future__ import annotations

import re

_NAMED = re.compile(
    r"(?i)\b(?:password|passwd|passphrase|passwort|kennwort|passcode|pwd|pw|mot de passe|contraseña|senha|wachtwoord"
    r"|credentials?|secret|api[ _-]?key|private[ _-]?key|access[ _-]?key)\b\s{0,4}(?:is|ist|:|=|->?|/)\s{0,4}\S{3,}"
)
_ACCOUNT = re.compile(
    r"(?i)\b(?:root|admin|administrator|sa|svc[_-]\w{1,30})\s{0,2}[/:]\s{0,2}(?=\S{6,})(?=\S*[0-9])\S+"
)


def names_a_secret(text: str) -> bool:
    """Whether a text names a secret and gives it: ``pw: ...``, ``root/...``."""
    return _NAMED.search(text) is not None or _ACCOUNT.search(text) is not None
