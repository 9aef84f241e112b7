"""Write what is known of a run into one archive, without names, addresses and secrets."""

from __future__ import annotations

import io
import json
import platform
import re
import zipfile
from collections.abc import Collection, Iterable, Iterator
from importlib import metadata
from typing import Any

from hcx_waves.preflight.base import Product
from hcx_waves.probe.contract import load_contract
from hcx_waves.redaction import Redactor
from hcx_waves.support_bundle.collect import RunFiles, calls_in

# The members of reports and plans that hold names of sites, waves and people.
_NAMES = (
    "name", "key", "endpoint_name", "vcenter_name", "mobility_group", "wave", "segment", "segments", "stays",
    "rename_destination", "switchover_order", "user_name", "user_id", "approved_by", "started_by", "critical_vms",
    "network", "vcenter_networks", "mesh", "retired_copy", "change_reference", "subject", "guest",
)  # fmt: skip
_OWN_WORDS = frozenset({*Product, "wave", "sites", "source", "destination", "all"})
_PACKAGES = ("hcx-waves", "apache-airflow", "apache-airflow-providers-standard", "pyvmomi", "requests", "pydantic")
_NAME = re.compile(r"[\w.-]{2,128}")


class LeakError(Exception):
    """A secret would have got into the bundle; nothing was written."""


def bundle_of(run: RunFiles, secrets: Collection[str]) -> bytes:
    """Return the archive (zip) of a run.

    Names, addresses, ids and users have one stand-in each in all of its files.

    :param secrets: passwords and tokens that must not appear; whatever else looks like one is blanked as well.
    :raises LeakError: if one of the secrets is in it all the same.
    """
    redactor = Redactor(secrets, load_contract().vocabulary)
    _learn(redactor, run)
    files = {name: content for name, content in _files(run, redactor) if content}
    files["contents.json"] = _json({"versions": _versions(), "files": sorted(files)})
    leaked = [name for name, content in files.items() if any(one in content for one in secrets if len(one) >= 4)]
    if leaked:
        raise LeakError(f"a secret was found in {', '.join(sorted(leaked))}")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in sorted(files):
            packed.writestr(name, files[name])
    return archive.getvalue()


def _files(run: RunFiles, redactor: Redactor) -> Iterator[tuple[str, str]]:
    yield "report.json", _json(redactor.document(run.report))
    yield "report.md", redactor.text(run.markdown)
    yield "plan.json", "" if run.plan is None else _json(redactor.document(run.plan))
    assessments = run.report.get("assessments")
    yield "findings.json", "" if not assessments else _json(redactor.document(assessments))
    yield "probes.json", "" if not run.probes else _json(redactor.document(list(run.probes)))
    calls: list[str] = []
    for name, log in run.logs:
        calls += (redactor.text(f"{name}: {line}") for line in calls_in(log))
        yield f"logs/{redactor.text(name)}", redactor.text(log)
    yield "calls.txt", "\n".join(calls)


def _learn(redactor: Redactor, run: RunFiles) -> None:
    for document in (run.plan, run.report):
        redactor.learn(_without_own_words(document), *_NAMES)
    redactor.learn({"name": list(_names_in_evidence(run.report.get("assessments")))}, "name")
    for text in (json.dumps(run.report), json.dumps(run.plan), json.dumps(run.probes), *(log for _, log in run.logs)):
        redactor.learn_hosts(text)


def _without_own_words(document: Any) -> Any:
    if isinstance(document, dict):
        return {key: _without_own_words(item) for key, item in document.items()}
    if isinstance(document, list):
        return [_without_own_words(item) for item in document]
    return None if document in _OWN_WORDS else document


def _names_in_evidence(value: Any, *, inside: bool = False) -> Iterator[str]:
    """Yield what evidence of findings names: foreign VMs, networks, hosts."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _names_in_evidence(item, inside=inside or key == "evidence")
    elif isinstance(value, list):
        for item in value:
            yield from _names_in_evidence(item, inside=inside)
    elif inside and isinstance(value, str) and _NAME.fullmatch(value) and value not in _OWN_WORDS:
        yield value


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), "system": platform.platform(), **dict(_installed(_PACKAGES))}


def _installed(packages: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name in packages:
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:
            continue


def _json(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
