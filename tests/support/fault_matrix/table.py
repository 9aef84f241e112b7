"""``docs/faults.md``, made from the calls of a recording and the endings of cells."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from support.fault_matrix.breaks import BREAKS
from support.fault_matrix.calls import Call, TaskSeen
from support.fault_matrix.cells import ALWAYS, ONCE, Cell, cells_of
from support.fault_matrix.faults import FAULTS

PAGE = Path(__file__).parents[3] / "docs" / "faults.md"
ENDINGS = Path(__file__).parent / "endings.json"
"""How each cell ended when it was last played: one letter by the name of the cell."""
LETTERS = {"as planned": "p", "stopped": "s", "defect": "D"}
_OPEN = "?"
_NOT = "-"
_HEAD = """# Faults

What happens when a call fails. `make faults` lets every call of a [wave](glossary.md#wave) and of its cleanup fail in
every way of the head line, on simulated sites, at the socket; kills every task's process before, during and after its
work; and writes this page. How much of it has been played since the calls are there is counted below.

A cell is judged by the simulator's oracle and audit, not by what the run says: no VM lost or doubled, none without a
gateway beyond what the run says, never two gateways, never a gateway switched off under a VM, never two starts,
deletions or unextends; the report is true; no secret is in any output.

- **p**: ended as planned, by itself.
- **s**: stopped safely and said why; the way back that it names was taken, and it works.
- **D**: a defect. There is none when this page is in order.
- **?**: not played since the call is there. **-**: cannot happen to this call.
- A blank cell: another task makes the same call, and is struck there; here a share of the faults is drawn.

Each cell has two letters: the fault strikes **once**, and it **lasts** until a person repairs it after the run. In
both, Airflow's retries and the clients' own are in force.

One cell: `make faults CELL=wave:await_unextended:source.hcx.jobs.get#1:403:always`; a part of a name plays all cells
that have it. Cells are repeatable: nothing in them is drawn, and time is the world's.
"""


def load() -> dict[str, str]:
    """Return the letters of the cells that were played."""
    found: dict[str, str] = json.loads(ENDINGS.read_text(encoding="utf-8")) if ENDINGS.exists() else {}
    return found


def keep(seen: Mapping[str, Sequence[TaskSeen]], endings: Mapping[str, str]) -> None:
    """Store how cells ended, beside those of earlier times, and write the page; cells that are gone are forgotten."""
    cells = [cell for tasks in seen.values() for cell in cells_of(tasks)]
    known = {**load(), **endings}
    kept = {cell.name: known[cell.name] for cell in cells if cell.name in known}
    ENDINGS.write_text(json.dumps(kept, indent=0, sort_keys=True) + "\n", encoding="utf-8")
    PAGE.write_text(page(seen, kept), encoding="utf-8")


def page(seen: Mapping[str, Sequence[TaskSeen]], endings: Mapping[str, str]) -> str:
    """Return the page."""
    return "\n".join([_HEAD, *_counts(seen, endings), *_faults(), *_breaks(), *_tables(seen, endings)]) + "\n"


def _counts(seen: Mapping[str, Sequence[TaskSeen]], endings: Mapping[str, str]) -> Iterator[str]:
    yield "## How many\n"
    yield "| play | calls | cells | as planned | stopped safely | defects | not played |"
    yield "|---|---|---|---|---|---|---|"
    for name, tasks in seen.items():
        cells = list(cells_of(tasks))
        found = Counter(endings.get(cell.name, _OPEN) for cell in cells)
        calls = sum(len(task.calls) for task in tasks)
        yield f"| {name} | {calls} | {len(cells)} | {found['p']} | {found['s']} | {found['D']} | {found[_OPEN]} |"
    yield ""


def _faults() -> Iterator[str]:
    yield "## The faults\n"
    yield "| column | what happens |"
    yield "|---|---|"
    yield from (f"| {one.name} | {one.words} |" for one in FAULTS.values())
    yield ""


def _breaks() -> Iterator[str]:
    yield "## Would a cell turn red?\n"
    yield "The product is broken on purpose, in one place each: `make faults BREAK=name`. A test holds these.\n"
    yield "| break | what is wrong then | a cell that turns red |"
    yield "|---|---|---|"
    yield from (f"| `{name}` | {one.words} | `{one.cells[0]}` |" for name, one in BREAKS.items())
    yield ""


def _tables(seen: Mapping[str, Sequence[TaskSeen]], endings: Mapping[str, str]) -> Iterator[str]:
    for name, tasks in seen.items():
        yield f"## Play: {name}\n"
        for task in tasks:
            yield from _of_task(task, endings)


def _of_task(task: TaskSeen, endings: Mapping[str, str]) -> Iterator[str]:
    cells = list(cells_of([task]))
    yield f"### {task.name}\n"
    if task.calls:
        yield f"| call | {' | '.join(FAULTS)} |"
        yield f"|---|{'---|' * len(FAULTS)}"
        by_name = {cell.name: cell for cell in cells}
        for call in task.calls:
            yield f"| {call.place}#{call.nth} | {' | '.join(_letters(call, one, by_name, endings) for one in FAULTS)} |"
        yield ""
    yield "| killed | once | always |"
    yield "|---|---|---|"
    killed = {cell.fault: {} for cell in cells if cell.kill is not None}  # type: dict[str, dict[str, str]]
    for cell in cells:
        if cell.kill is not None:
            killed[cell.fault][ALWAYS if cell.lasting else ONCE] = endings.get(cell.name, _OPEN)
    for moment, found in killed.items():
        yield f"| {moment.removeprefix('killed-')} | {found.get(ONCE, _NOT)} | {found.get(ALWAYS, _NOT)} |"
    yield ""


def _letters(call: Call, fault: str, cells: Mapping[str, Cell], endings: Mapping[str, str]) -> str:
    if FAULTS[fault].rule(call) is None:
        return _NOT
    names = [f"{call.name}:{fault}:{column}" for column in (ONCE, ALWAYS)]
    if not any(name in cells for name in names):
        return ""
    return "".join(endings.get(name, _OPEN) if name in cells else "." for name in names)
