"""Hold what came of a cell against the simulator's oracle and audit, and against what the run says of itself."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hcx_sim.faults.socket import acts
from hcx_waves.report.files import read_report
from hcx_waves.report.model import WaveReport
from support.airflow_tasks import AirflowRun, content_of
from support.fault_matrix.faults import RULE, Struck, has_acted
from support.fault_matrix.playing import Played
from support.fault_matrix.stage import SEGMENT, VMS, Stage
from support.true_reports import Truth


def harm(stage: Stage, struck: Struck | None) -> Iterator[str]:
    """Yield everything that must never happen, whatever fails."""
    pair = stage.pair
    truth = pair.oracle()["segments"][SEGMENT]
    for words in ("two_gateways", "source_cut"):
        if truth[words]:
            yield f"{words.replace('_', ' ')}: {truth[words]}"
    living = Counter(vm.name for vm in pair.world.vms.values() if not vm.retired)
    for name in VMS:
        if living[name] != 1:
            yield f"VM {name} is there {living[name]} times"
    yield from _doubles(stage, struck)


def _doubles(stage: Stage, struck: Struck | None) -> Iterator[str]:
    """Yield what was started, deleted or unextended twice."""
    entries = stage.pair.audit()
    notes = [one["data"] for one in entries if one["kind"] == "note"]
    starts = Counter(one["vm"] for one in notes if one.get("before") == "draft")
    for name, count in starts.items():
        if count > 1:
            yield f"VM {name} was started {count} times"
    unextends = [one for one in notes if one.get("job") == "DeleteNetworkExtension"]
    begun = sum(one["state"] == "started" for one in unextends)
    failed = sum(one["state"] == "failed" for one in unextends)
    if begun > 1 + failed:
        yield f"the network was unextended {begun} times"
    deletions = [
        one for one in entries if one["kind"] == "call" and one["data"]["operation"].endswith("segments.delete")
    ]
    done = sum(has_acted(one, struck) for one in deletions)
    if done > 1:
        yield f"segments were deleted {done} times"


def open_outage(stage: Stage) -> bool:
    """Whether VMs reach nothing at present."""
    return any(one["to"] is None for one in stage.pair.oracle()["segments"][SEGMENT]["outage"])


def report_of(run: AirflowRun) -> tuple[WaveReport, str] | None:
    """Return the report of a run as model and as text; None if it has none."""
    written = content_of(run.xcoms.get(("write_report", "return_value")))
    if not isinstance(written, dict):
        return None
    text = Path(written["markdown"]).read_text(encoding="utf-8")
    return read_report(Path(written["json"])), text


def falsehoods(stage: Stage, played: Played, begun: int, struck: Struck | None) -> Iterator[str]:
    """Yield what a run's report says and is not so; and what it does not say.

    :param begun: the audit's length when the run began.
    """
    found = report_of(played.run)
    if found is None:
        if played.states.get("write_report") == "success":
            yield "there is no report"
        return
    report, text = found
    if not played.dag.dag_id.startswith("cleanup"):
        refusing = frozenset() if struck is None or acts(struck.rule) else frozenset({RULE})
        for one in Truth(stage.pair, report, text, begun, stage.pair.mark(), refusing).falsehoods():
            yield f"the report: {one}"
    if played.failed and not (report.reasons or report.failures or report.errors):
        yield f"{', '.join(played.failed)} failed, and the report gives no reason"


def silent(played: Played) -> Iterator[str]:
    """Yield failed tasks that do not say why, or not what to do next."""
    for task_id in played.failed:
        error = played.errors.get(task_id)
        if error is None:
            continue  # Its process was killed each time: there was nobody to say it.
        if not str(error).strip():
            yield f"{task_id} failed without a word: {error!r}"
        if not is_ours(error):
            yield f"{task_id} failed by an error that is none of ours: {type(error).__name__}: {error}"


def is_ours(error: Exception) -> bool:
    """Whether an error is raised on purpose, and says what to do."""
    return type(error).__module__.startswith(("hcx_waves", "hcx_airflow"))


def leaks(stage: Stage, runs: list[Played]) -> Iterator[str]:
    """Yield where a secret has got into an output."""
    texts: dict[str, Any] = {
        "the log": stage.log.getvalue(),
        "a gate": json.dumps(stage.asked, default=str),
        "a file": "".join(
            path.read_text(encoding="utf-8", errors="replace")
            for folder in ("reports", "state")
            for path in (stage.folder / folder).rglob("*")
            if path.is_file()
        ),
    }
    for played in runs:
        run = played.run
        texts[f"an XCom of {run.run_id}"] = json.dumps([[*key, value] for key, value in run.xcoms.items()])
        texts[f"the store of {run.run_id}"] = json.dumps({one: store.values for one, store in run.stores.items()})
        texts[f"a rendered field of {run.run_id}"] = json.dumps(run.rendered, default=str)
        texts[f"an error of {run.run_id}"] = "".join(map(str, played.errors.values()))
    for place, text in texts.items():
        if any(secret in text for secret in stage.secrets):
            yield f"a secret is in {place}"
