"""Makes the probe's contract of the samples, so that no fact is written down twice.

``python -m support.probe_contract`` (``make contract``) writes ``include/hcx_waves/probe/contract.json``; a test fails
when the file is out of date.

A site that is probed is in whatever state it is in. So a member is required of its answers only if every sample of a
success requires it that could show it at all, and has any type that a sample gives it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from support import contract
from support.contract import Call, Sample

TARGET = Path(__file__).resolve().parents[2] / "include" / "hcx_waves" / "probe" / "contract.json"
# Constants, and words and dotted names without digits: nothing that looks like the name of a machine.
_WORD = re.compile(r"[A-Z][A-Z0-9_-]{0,47}|[A-Za-z]{1,32}(?:\.[A-Za-z]{1,32}){0,4}|vmx-\d{1,3}")
# What VMware Tools report is there only while they run.
_BY_TOOLS = "propSet.guest."
_NAMING = re.compile(r"(?i)name$|^user|_user$|message|reason|^id$|_id$")
# Objects that every site has under these names, and steps of paths that no call of the catalogue shows.
_EVERYWHERE = ("cgw", "mgw", "default", "vmc-enforcementpoint")
_STEPS = ("sites", "transport-zones", "tier-0s", "locale-services", "groups", "services", "reverse-proxy",
          "sks-nsxt-manager")  # fmt: skip


def document() -> dict[str, Any]:
    """The contract of all calls of the site pair, and the words and members that are the vendors' own."""
    calls = [call for call in contract.load_calls() if call.scope == "core"]
    facts = [_facts(call, _successes(call)) for call in calls]
    bodies = [sample.response.body for sample in contract.load_samples()]
    bodies += [sample.request.body for sample in contract.load_samples()]
    words = {word for body in bodies for word in _words(body, "")}
    words.update(word for members in contract.load_words().values() for known in members.values() for word in known)
    words.update(_EVERYWHERE)
    members = {name for body in bodies for name in _members(body)}
    members.update(name for sample in contract.load_samples() for name in sample.request.query)
    steps = {step for call in contract.load_calls() for step in call.path.split("/") if step and "{" not in step}
    steps.update((*_EVERYWHERE, *_STEPS))
    return {
        "calls": [fact for fact in facts if fact is not None],
        "words": sorted(words),
        "members": sorted(members),
        "path_steps": sorted(steps),
    }


def text() -> str:
    """The file's content: one line for each call."""
    whole = document()
    calls = ",\n".join(f"    {json.dumps(call)}" for call in whole.pop("calls"))
    rest = ",\n".join(f"  {json.dumps(name)}: {json.dumps(values)}" for name, values in whole.items())
    return f'{{\n  "calls": [\n{calls}\n  ],\n{rest}\n}}\n'


def _successes(call: Call) -> list[Sample]:
    found = contract.load_samples(call.system, call.call)
    return sorted((one for one in found if one.response.status < 300), key=lambda one: one.variant)


def _facts(call: Call, samples: list[Sample]) -> dict[str, Any] | None:
    if not samples:
        return None
    plain = samples[0]
    return {
        "system": call.system,
        "call": call.call,
        "method": call.method,
        "path": call.path,
        "query": call.query,
        "effect": call.effect,
        "section": "" if call.section == "-" else f"{call.reference} {call.section}",
        "confidence": plain.confidence,
        "sources": plain.sources,
        "versions": sorted({version for sample in samples for version in sample.versions}),
        "status": sorted({sample.response.status for sample in samples}),
        "headers": sorted(set.intersection(*(set(sample.response.headers) for sample in samples))),
        "content_type": plain.response.content_type,
        "required": _required(samples) if call.effect != "change" else [],
        "types": _types(samples) if call.effect != "change" else {},
        "words": contract.load_words().get(f"{call.system}.{call.call}", {}),
    }


def _required(samples: list[Sample]) -> list[str]:
    wanted = dict.fromkeys(
        path for sample in samples for path in sample.required_fields if not path.startswith(_BY_TOOLS)
    )
    return [path for path in wanted if all(_requires(one, path) or not _could_show(one, path) for one in samples)]


def _requires(sample: Sample, path: str) -> bool:
    """Whether a sample requires a member whatever is asked for: what was asked by is there in any case."""
    return path in sample.required_fields and path.rpartition(".")[2] not in sample.request.query


def _could_show(sample: Sample, path: str) -> bool:
    """Whether a sample could have shown a member: not if its list is empty, or if the request asked for others only."""
    asked = sample.request.body.get("pathSet") if isinstance(sample.request.body, dict) else None
    if isinstance(asked, list) and path.startswith("propSet."):
        own = path.removeprefix("propSet.").split("[")[0]
        if not any(own == one or own.startswith(f"{one}.") or one.startswith(f"{own}.") for one in asked):
            return False
    value = sample.response.body
    for step in contract.steps_of(path):
        if step == "[]":
            if not isinstance(value, list) or not value:
                return False
            value = value[0]
        elif not isinstance(value, Mapping) or step not in value:
            return True
        else:
            value = value[step]
    return True


def _types(samples: list[Sample]) -> dict[str, list[str]]:
    found: dict[str, set[str]] = {}
    for sample in samples:
        filled = contract.fill(sample.response.body, contract.example_values())
        for path, kind in _kinds(filled, ""):
            found.setdefault(path, set()).add(kind)
    return {path: sorted(kinds) for path, kinds in found.items()}


def _kinds(value: Any, at: str) -> Iterator[tuple[str, str]]:
    if value is not None:
        yield at, contract.type_name(value)
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _kinds(item, f"{at}.{key}" if at else key)
    elif isinstance(value, list):
        for item in value:
            yield from _kinds(item, f"{at}[]")


def _words(value: Any, key: str) -> Iterator[str]:
    """Yield the words of a body that name nothing of a site."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _words(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from _words(item, key)
    elif isinstance(value, str) and _WORD.fullmatch(value) and (not _NAMING.search(key) or value.isupper()):
        yield value


def _members(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield name
            yield from _members(item)
    elif isinstance(value, list):
        for item in value:
            yield from _members(item)


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
