"""The samples themselves: well formed, sourced, complete and free of contradictions."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from pyVmomi import vim

from support import contract
from support.contract import Call, Sample
from support.vendor_pages import pages

FILES = contract.sample_files()
SAMPLES = contract.load_samples()
CALLS = contract.load_calls()


def _sample_id(path: Path) -> str:
    return f"{path.parent.name}.{path.stem}"


def _call_of(sample: Sample) -> Call:
    return next(c for c in CALLS if (c.system, c.call) == (sample.system, sample.call))


def _without_names(path: str) -> str:
    return re.sub(r"\{[a-z0-9_]+\}", "{}", path).rstrip("/")


def _by_id(sample: Sample) -> str:
    return sample.id


@pytest.mark.parametrize("path", FILES, ids=_sample_id)
def test_file_is_a_sample_under_its_own_name(path: Path) -> None:
    loaded = contract.load_sample(path)

    assert (path.parent.name, path.name) == (loaded.system, loaded.file_name)
    assert re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)+", loaded.id)


def test_ids_are_unique() -> None:
    assert [i for i, n in Counter(s.id for s in SAMPLES).items() if n > 1] == []


@pytest.mark.parametrize("loaded", SAMPLES, ids=_by_id)
def test_sample_names_known_sources(loaded: Sample) -> None:
    page = pages()[_call_of(loaded).reference]

    assert [key for key in loaded.sources if key not in page.keys] == []


def test_calls_name_sections_of_the_vendor_pages() -> None:
    listed = [(call.reference, call.section) for call in CALLS if call.section != "-"]

    assert [(name, section) for name, section in listed if section not in pages()[name].anchors] == []


@pytest.mark.parametrize("loaded", SAMPLES, ids=_by_id)
def test_sample_agrees_with_the_catalogue(loaded: Sample) -> None:
    call = _call_of(loaded)

    assert loaded.request.method == call.method
    assert _without_names(loaded.request.path) == _without_names(call.path)
    assert call.query.items() <= loaded.request.query.items()


@pytest.mark.parametrize("loaded", SAMPLES, ids=_by_id)
def test_required_and_optional_fields_cover_the_body_and_nothing_else(loaded: Sample) -> None:
    known = contract.field_paths(loaded.response.body)
    listed = [*loaded.required_fields, *loaded.optional_fields]
    uncovered = [
        path
        for path in known
        if not any(path == f or contract.is_below(path, f) or contract.is_below(f, path) for f in listed)
    ]

    assert uncovered == []
    assert set(loaded.required_fields) <= set(known)
    assert not set(loaded.required_fields) & set(loaded.optional_fields)
    assert contract.check_answer(loaded, loaded.response.body) == []


@pytest.mark.parametrize("loaded", SAMPLES, ids=_by_id)
def test_every_placeholder_is_described_and_can_be_filled(loaded: Sample) -> None:
    assert loaded.placeholders <= contract.load_placeholders().keys()

    filled = loaded.filled(contract.example_values())

    assert filled.placeholders == set()
    assert contract.check_answer(filled, filled.response.body) == []


@pytest.mark.parametrize("loaded", SAMPLES, ids=_by_id)
def test_doubtful_sample_says_what_is_doubtful(loaded: Sample) -> None:
    if loaded.confidence == "guessed":
        assert loaded.notes


def test_every_placeholder_is_used() -> None:
    used = set().union(*(s.placeholders for s in SAMPLES))

    assert contract.load_placeholders().keys() - used == set()


@pytest.mark.parametrize("call", CALLS, ids=lambda c: f"{c.system}.{c.call}")
def test_every_documented_call_has_a_sample(call: Call) -> None:
    assert contract.load_samples(call.system, call.call)


def test_catalogue_has_no_call_twice() -> None:
    assert [k for k, n in Counter((c.system, c.call) for c in CALLS).items() if n > 1] == []


@pytest.mark.parametrize(
    ("system", "status", "content_type"),
    [
        ("hcx", 401, None),
        ("hcx", 400, "application/json"),
        ("hcx", 500, "application/xml"),
        ("nsx", 412, "application/json"),
        ("nsx", 429, "text/plain"),
        ("nsx", 504, "text/html"),
        ("nsx", 403, "application/json"),
        ("vmc", 404, "application/json"),
        ("csp", 400, "application/json"),
        ("vcenter", 500, "text/xml"),
    ],
)
def test_error_forms_are_sampled(system: contract.System, status: int, content_type: str | None) -> None:
    forms = {(s.response.status, s.response.content_type) for s in contract.load_samples(system)}

    assert (status, content_type) in forms


KINDS: dict[str, type[Any]] = {
    "VirtualMachine": vim.VirtualMachine,
    "DistributedVirtualPortgroup": vim.dvs.DistributedVirtualPortgroup,
    "OpaqueNetwork": vim.OpaqueNetwork,
    "Task": vim.Task,
}
PROPERTY_READS = [s for s in contract.load_samples("vcenter") if (s.request.body or {}).get("type") in KINDS]


def _has_property(kind: type[Any], path: str) -> bool:
    for name in path.split("."):
        try:
            kind = kind._GetPropertyInfo(name).type
        except AttributeError:
            return False
    return True


@pytest.mark.parametrize("loaded", PROPERTY_READS, ids=_by_id)
def test_vcenter_property_paths_exist_in_the_vendor_binding(loaded: Sample) -> None:
    kind = KINDS[loaded.request.body["type"]]
    unknown = [path for path in loaded.request.body["pathSet"] if not _has_property(kind, path)]

    assert unknown == (["config.noSuchThing"] if loaded.variant == "invalid_property" else [])


def test_malformed_sample_is_refused() -> None:
    raw = json.loads(FILES[0].read_text(encoding="utf-8"))

    with pytest.raises(ValidationError, match="surprise"):
        Sample.model_validate({**raw, "surprise": 1})
    with pytest.raises(ValidationError, match="confidence"):
        Sample.model_validate({**raw, "confidence": "sure"})
    with pytest.raises(ValidationError, match="a body needs a content type"):
        Sample.model_validate({**raw, "response": {"status": 200, "body": {"a": 1}}})
    with pytest.raises(ValidationError, match="does not fit the body"):
        Sample.model_validate({**raw, "response": {"status": 200, "body": "text", "content_type": "application/json"}})
