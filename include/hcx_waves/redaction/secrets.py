"""Blank secrets: those that are known, and what can only be one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from hcx_waves.clients.errors import redact_parameters

BLANK = "***"
_SHORTEST_SECRET = 4
_SECRET_MEMBER = re.compile(
    r"(?i)passw|passphrase|secret|credential|authori[sz]ation|cookie|xsrf|api_?key|private_?key|session_?(id|key)$"
    r"|(access|refresh|id|auth|bearer|csp[-_]auth)[-_]?token|^(token|ticket|pwd)$"
)
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]{1,40}-----.{0,20000}?(?:-----END [A-Z0-9 ]{1,40}-----|\Z)", re.DOTALL)
# Tokens with three parts, schemes of the header Authorization, and the user in front of a host.
_TOKENS = re.compile(
    r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*"
    r"|(?<=\bBearer )[A-Za-z0-9._~+/=-]{4,}|(?<=\bBasic )[A-Za-z0-9+/=]{4,}"
    r"|(?<=://)[^/\s@\"']{1,200}(?=@)"
)
# A value behind its name: JSESSIONID=..., x-hm-authorization: ..., "password": "..."
_NAMED = re.compile(
    r"""(?ix)\b(JSESSIONID|vmware_soap_session|x-hm-authorization|x-xsrf-token|csp-auth-token|set-cookie|cookie
    |authorization|password|passwd|passphrase|client_secret|refresh_token|access_token|id_token|api[_-]?key)
    (["']?\s{0,4}[:=]\s{0,4}["']?)(?!\*\*\*)([^\s"',;&]{1,4000})"""
)


def blanked(value: Any, secrets: Iterable[str]) -> Any:
    """Return JSON primitives in whose texts known secrets, and values of secret-bearing parameters, are blanked.

    :param secrets: texts that must not appear; those of fewer than four characters are left alone.
    """
    return _blanked(value, longest_first(secrets))


def is_secret_member(name: str) -> bool:
    """Whether a member of that name holds a secret, whatever its value is."""
    return _SECRET_MEMBER.search(name) is not None


def without_tokens(text: str) -> str:
    """Blank what can only be a secret: keys and certificates, tokens, and values behind the names of secrets."""
    found = _PEM.sub(BLANK, text)
    found = _TOKENS.sub(BLANK, found)
    found = _NAMED.sub(lambda match: f"{match[1]}{match[2]}{BLANK}", found)
    return redact_parameters(found)


def longest_first(secrets: Iterable[str]) -> list[str]:
    """Return the secrets that are long enough to be looked for, so that none is found inside another."""
    return sorted((one for one in secrets if len(one) >= _SHORTEST_SECRET), key=len, reverse=True)


def _blanked(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, dict):
        return {key: _blanked(member, secrets) for key, member in value.items()}
    if isinstance(value, list):
        return [_blanked(member, secrets) for member in value]
    if not isinstance(value, str):
        return value
    for secret in secrets:
        value = value.replace(secret, BLANK)
    return redact_parameters(value)
