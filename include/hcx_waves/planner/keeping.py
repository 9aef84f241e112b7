"""A plan that was made before: kept, with what people have moved and what the inventory has become."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from hcx_waves.forecast import ModelParameters
from hcx_waves.inventory.model import InventoryDocument
from hcx_waves.planner.anneal import improve
from hcx_waves.planner.board import Board
from hcx_waves.planner.building import Planning, build
from hcx_waves.planner.document import PlanDocument
from hcx_waves.planner.figures import UNPLACED, PlanFigures, figures_of, violations
from hcx_waves.planner.make import describe
from hcx_waves.planner.rules import PlanRules

_COLUMNS = ("key", "name", "wave", "night", "networks", "why")
_MEASURES = {
    "days_stretched": "days that networks are extended",
    "peak_slots": "networks extended at once",
    "waves": "waves",
    "dependencies_cut": "dependencies cut",
}


class MovesError(ValueError):
    """A CSV file of a plan that cannot be used; lists every problem with its row."""


@dataclass(frozen=True)
class KeptPlan:
    """A plan that was kept, and what has become of it.

    :param touched: the waves in which something is new, gone, changed or moved, with what.
    :param worse: figures that are worse than before, a sentence each.
    :param broken: hard rules that it breaks.
    """

    plan: PlanDocument
    moved: tuple[str, ...]
    new: tuple[str, ...]
    gone: tuple[str, ...]
    changed: tuple[str, ...]
    touched: dict[str, tuple[str, ...]]
    worse: tuple[str, ...]
    broken: tuple[str, ...]


def plan_csv(plan: PlanDocument) -> str:
    """Return a plan as CSV, a row for each VM, for moving VMs in a spreadsheet: change the column ``wave``."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for wave in plan.waves:
        for one in wave.members:
            row = (one.key, one.name, wave.name, wave.night, " ".join(one.networks), one.why)
            # A name that begins like a formula would be one in a spreadsheet.
            writer.writerow([f"'{cell}" if cell[:1] in "=+@\t" else cell for cell in row])
    return text.getvalue()


def read_moves(text: str, plan: PlanDocument) -> dict[str, str]:
    """Return the VMs that a plan's CSV file puts into another wave, by key.

    :raises MovesError: with every row that names no VM or no wave of the plan.
    """
    delimiter = ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","
    rows = csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=delimiter)
    if not {"key", "wave"} <= set(rows.fieldnames or ()):
        raise MovesError("row 1: must name the columns key and wave, as the plan's CSV file does")
    was = {one.key: wave.name for wave in plan.waves for one in wave.members}
    names = {wave.name for wave in plan.waves}
    moves: dict[str, str] = {}
    problems: list[str] = []
    for number, row in enumerate(rows, start=2):
        key, wave = (str(row.get(name) or "").strip().lstrip("'") for name in ("key", "wave"))
        if key not in was:
            problems.append(f'row {number}: no VM of the plan has the key "{key}"')
        elif wave not in names:
            problems.append(f'row {number}: there is no wave "{wave}"; the plan has {min(names)} to {max(names)}')
        elif wave != was[key]:
            moves[key] = wave
    if problems:
        raise MovesError("\n".join(problems[:100]))
    return moves


def keep_plan(
    old: PlanDocument,
    inventory: InventoryDocument,
    rules: PlanRules,
    parameters: ModelParameters | None = None,
    *,
    moves: Mapping[str, str] | None = None,
    seconds: float = 1.0,
) -> KeptPlan:
    """Keep every VM in its wave, move what people have moved, plan what is new, and judge all of it again.

    :param moves: the waves of VMs that people have moved, by key.
    """
    moves = moves or {}
    before = {one.key: wave.name for wave in old.waves for one in wave.members}
    wanted = {**before, **moves}
    planning = build(inventory, rules, parameters, parts=wanted)
    board, fixed, lost = _placed(planning, old, wanted)
    broken = [words for _, words in planning.broken] + lost
    board = improve(planning.problem, board, seconds=seconds, seed=old.seed, fixed=fixed)
    plan = describe(planning, board, inventory, seconds=seconds, seed=old.seed)
    now = {vm.key: vm for vm in inventory.vms}
    networks = {one.key: set(one.networks) for wave in old.waves for one in wave.members}
    changed = [key for key in before if key in now and networks[key] != set(now[key].networks) - set(rules.ignore)]
    known = {*before, *(one.key for one in old.not_planned)}
    kept = KeptPlan(
        plan=plan,
        moved=tuple(sorted(moves)),
        new=tuple(sorted(set(now) - known)),
        gone=tuple(sorted(set(before) - set(now))),
        changed=tuple(sorted(changed)),
        touched={},
        worse=tuple(_worse(_figures_before(old), figures_of(board))),
        broken=(*broken, *violations(board), *_nowhere(planning, board)),
    )
    kept.touched.update(_touched(kept, before, moves))
    return kept


def _placed(
    planning: Planning, old: PlanDocument, wanted: Mapping[str, str]
) -> tuple[Board, frozenset[int], list[str]]:
    """Return the board with what was planned where it was, and with what is new where it costs least."""
    problem = planning.problem
    night_of = {night.isoformat(): number for number, night in enumerate(problem.nights)}
    nights = {wave.name: night_of.get(wave.night, UNPLACED) for wave in old.waves}
    lost = [f"{name} has no night any more: {wave.night} is frozen or not among the nights" for wave in old.waves
            if nights[name := wave.name] == UNPLACED]  # fmt: skip
    board, fixed = Board(problem, [UNPLACED] * len(problem.atoms)), set()
    for number, atom in enumerate(problem.atoms):
        waves = [wanted[problem.keys[vm]] for vm in atom.vms if problem.keys[vm] in wanted]
        if len(set(waves)) > 1:
            names = ", ".join(problem.names[vm] for vm in atom.vms[:5])
            lost.append(f"{names} must move together ({atom.why}) and are in {', '.join(sorted(set(waves)))}")
        night = nights[waves[0]] if waves else UNPLACED
        if night != UNPLACED:
            board.put(number, night)
            fixed.add(number)
    for number in range(len(problem.atoms)):
        if board.night[number] == UNPLACED:
            _put_cheapest(board, number)
    return board, frozenset(fixed), lost


def _put_cheapest(board: Board, atom: int) -> None:
    costs = []
    for night in range(len(board.problem.nights)):
        if board.allows(atom, night):
            board.put(atom, night)
            costs.append((board.cost, night))
            board.take(atom)
    if costs:
        board.put(atom, min(costs)[1])


def _nowhere(planning: Planning, board: Board) -> Iterator[str]:
    for atom, night in enumerate(board.night):
        if night == UNPLACED:
            yield f"{planning.problem.names[planning.problem.atoms[atom].vms[0]]} fits on no night"


def _figures_before(old: PlanDocument) -> PlanFigures:
    return old.figures


def _worse(before: PlanFigures, after: PlanFigures) -> Iterator[str]:
    for name, words in _MEASURES.items():
        was, now = getattr(before, name), getattr(after, name)
        if now > was:
            yield f"{words}: {now}, were {was}"
    if after.last_night > before.last_night:
        yield f"last night: {date.fromisoformat(after.last_night)}, was {before.last_night}"


def _touched(kept: KeptPlan, before: Mapping[str, str], moves: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    now = {one.key: wave.name for wave in kept.plan.waves for one in wave.members}
    found: dict[str, list[str]] = {}

    def say(wave: str | None, words: str) -> None:
        if wave is not None:
            found.setdefault(wave, []).append(words)

    for key in kept.new:
        say(now.get(key), f"{key} is new")
    for key in kept.gone:
        say(before[key], f"{key} is gone")
    for key in kept.changed:
        say(before[key], f"{key} is on other networks")
    for key, wave in moves.items():
        say(before[key], f"{key} was moved to {wave}")
        say(wave, f"{key} was moved here from {before[key]}")
    return {wave: tuple(found[wave]) for wave in sorted(found)}
