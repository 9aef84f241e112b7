"""Sign decisions, so that they cannot be forged from Airflow's user interface.

Airflow lets users mark a gate "success" and write XComs. So a gate signs its decision with a key that only
the workers hold, and each step that changes something verifies the signature and what the decision is for.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import JsonValue, ValidationError

from hcx_airflow.documents import Document
from hcx_airflow.errors import NotApprovedError, SigningKeyError
from hcx_waves.model.digest import canonical_json
from hcx_waves.run.decisions import Decision

KEY_VARIABLE = "HCX_WAVES_SIGNING_KEY"
KEY_FILE_VARIABLE = "HCX_WAVES_SIGNING_KEY_FILE"
SHORTEST_KEY = 32
_PURPOSE = b"hcx-waves decision 1\n"
_USED = b"hcx-waves used decision 1\n"


def signing_key(environment: Mapping[str, str] | None = None) -> bytes:
    """Return the key of this installation.

    :raises SigningKeyError: if there is none, or it is too short.
    """
    variables = os.environ if environment is None else environment
    text = variables.get(KEY_VARIABLE, "")
    path = variables.get(KEY_FILE_VARIABLE)
    if not text and path:
        try:
            text = Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SigningKeyError(
                f"{KEY_FILE_VARIABLE}: {path} cannot be read: {error.strerror}. Make it readable, then clear this task"
            ) from error
    if not text:
        raise SigningKeyError(
            f"no key to sign decisions with. Set {KEY_VARIABLE} or {KEY_FILE_VARIABLE} on all workers to the same key "
            f"of at least {SHORTEST_KEY} random characters, then clear this task"
        )
    if len(text) < SHORTEST_KEY:
        raise SigningKeyError(
            f"the key to sign decisions with is shorter than {SHORTEST_KEY} characters. Set a longer one on all "
            "workers, then clear this task"
        )
    return text.encode()


def sign(decision: Decision, key: bytes) -> Document:
    """Return a decision with its signature, as JSON."""
    content = decision.model_dump(mode="json")
    return {**content, "signature": _signature(content, key)}


def read_decision(document: Any, key: bytes) -> Decision:
    """Read a signed decision.

    :raises NotApprovedError: if it is not a signed decision, or the signature is wrong.
    """
    if not isinstance(document, Mapping) or not isinstance(document.get("signature"), str):
        raise NotApprovedError("there is no signed decision")
    content = {name: value for name, value in document.items() if name != "signature"}
    if not hmac.compare_digest(_signature(content, key), str(document["signature"])):
        raise NotApprovedError("the decision's signature is wrong: the gate did not write it")
    try:
        return Decision.model_validate(content)
    except ValidationError as error:
        raise NotApprovedError("the decision is signed but cannot be read") from error


def used_mark(document: Mapping[str, JsonValue], key: bytes) -> str:
    """Return the mark that a step keeps of a decision that it has used; it cannot be made without the key."""
    return hmac.new(key, _USED + str(document["signature"]).encode(), sha256).hexdigest()


def _signature(content: Mapping[str, JsonValue], key: bytes) -> str:
    try:
        text = canonical_json(dict(content))
    except (TypeError, ValueError) as error:
        raise NotApprovedError("the decision is not valid JSON") from error
    return hmac.new(key, _PURPOSE + text.encode(), sha256).hexdigest()
