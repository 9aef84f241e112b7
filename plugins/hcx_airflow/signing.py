"""The key of this installation: what only workers and triggerers can make, and so recognise.

Airflow lets users write XComs and mark tasks. So what a task leaves carries a code that is made with this key; see
:mod:`hcx_airflow.seal`.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from hcx_airflow.errors import SigningKeyError

KEY_VARIABLE = "HCX_WAVES_SIGNING_KEY"
KEY_FILE_VARIABLE = "HCX_WAVES_SIGNING_KEY_FILE"
PREVIOUS_KEY_VARIABLE = "HCX_WAVES_SIGNING_KEY_PREVIOUS"
PREVIOUS_KEY_FILE_VARIABLE = "HCX_WAVES_SIGNING_KEY_PREVIOUS_FILE"
SHORTEST_KEY = 32
_PURPOSE = b"hcx-waves seal 1\n"
_NAME = b"hcx-waves key name 1\n"


@dataclass(frozen=True)
class SigningKey:
    """A key.

    :param secret: at least 32 characters, in UTF-8.
    """

    secret: bytes

    @property
    def key_id(self) -> str:
        """What a code names it by, so that a key that is gone is told from a code that is wrong."""
        return hmac.new(self.secret, _NAME, sha256).hexdigest()[:8]

    def code_of(self, text: str) -> str:
        """Return the code (HMAC-SHA-256, hex) of a text."""
        return hmac.new(self.secret, _PURPOSE + text.encode(), sha256).hexdigest()


def signing_key(environment: Mapping[str, str] | None = None) -> SigningKey:
    """Return the key that this installation signs with.

    :raises SigningKeyError: if there is none, or it is too short.
    """
    key = _key(environment, KEY_VARIABLE, KEY_FILE_VARIABLE)
    if key is None:
        raise SigningKeyError(
            f"no key to sign with. Set {KEY_VARIABLE} or {KEY_FILE_VARIABLE} on all workers and triggerers to the same "
            f"key of at least {SHORTEST_KEY} random characters, then clear this task"
        )
    return key


def known_keys(environment: Mapping[str, str] | None = None) -> tuple[SigningKey, ...]:
    """Return the keys whose codes are recognised: the present one and, while keys are changed, the one before.

    :raises SigningKeyError: as :func:`signing_key`.
    """
    previous = _key(environment, PREVIOUS_KEY_VARIABLE, PREVIOUS_KEY_FILE_VARIABLE)
    present = signing_key(environment)
    return (present,) if previous is None else (present, previous)


def _key(environment: Mapping[str, str] | None, variable: str, file_variable: str) -> SigningKey | None:
    variables = os.environ if environment is None else environment
    text, path = variables.get(variable, ""), variables.get(file_variable)
    if not text and path:
        try:
            text = Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SigningKeyError(
                f"{file_variable}: {path} cannot be read: {error.strerror}. Make it readable, then clear this task"
            ) from error
    if not text:
        return None
    if len(text) < SHORTEST_KEY:
        raise SigningKeyError(
            f"the key in {variable} or {file_variable} is shorter than {SHORTEST_KEY} characters. Set a longer one on "
            "all workers and triggerers, then clear this task"
        )
    return SigningKey(text.encode())
