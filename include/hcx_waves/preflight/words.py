"""Status words of HCX, of which "up" is the only one seen; these leave no doubt, others are unknown [? hcx 9.6]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_GOOD = frozenset({"up", "ok", "green", "healthy", "normal", "connected", "success", "running", "good"})
_BAD = frozenset({"down", "red", "failed", "error", "critical", "unreachable", "disconnected", "not_ok", "degraded"})


def is_good(word: str) -> bool:
    """Whether a word means that all is well."""
    return word.lower() in _GOOD


def is_bad(word: str) -> bool:
    """Whether a word means trouble."""
    return word.lower() in _BAD


def spoken_reasons(reasons: Sequence[Any]) -> str:
    """Return reasons for a sentence, in brackets; nothing without any."""
    texts = [str(one.get("message", one)) if isinstance(one, dict) else str(one) for one in reasons]
    return f" ({'; '.join(texts)})" if texts else ""
