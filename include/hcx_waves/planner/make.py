"""Make a plan document of an inventory and rules: search, judge, explain."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

from hcx_waves.forecast import ModelParameters
from hcx_waves.inventory.model import InventoryDocument
from hcx_waves.model.digest import digest_of
from hcx_waves.model.formatting import counted, listed
from hcx_waves.planner.board import Board
from hcx_waves.planner.building import Planning, build
from hcx_waves.planner.conflicts import conflict
from hcx_waves.planner.document import (
    NotPlanned,
    PlanDocument,
    PlannedMember,
    PlannedNetwork,
    PlanWave,
)
from hcx_waves.planner.figures import UNPLACED, PlanFigures, figures_of, violations
from hcx_waves.planner.greedy import biggest_first, by_network, greedy
from hcx_waves.planner.problem import UNLIMITED, Load, PlanningProblem
from hcx_waves.planner.queue import queue_seconds
from hcx_waves.planner.rules import PlanRules
from hcx_waves.planner.search import find_plan

DEFAULT_SECONDS = 10.0
_NAMED = 5
_FULL = 0.9


class NoPlanError(ValueError):
    """There is no plan that keeps all rules; says which rules conflict, as places in the rules file."""

    def __init__(self, rules: Sequence[str], detail: Sequence[str]) -> None:
        self.rules = tuple(rules)
        lines = [f"no plan keeps all rules. These cannot be kept together: {', '.join(rules) or 'none found'}"]
        super().__init__("\n".join([*lines, *detail]))


def make_plan(
    inventory: InventoryDocument,
    rules: PlanRules,
    parameters: ModelParameters | None = None,
    *,
    seconds: float = DEFAULT_SECONDS,
    seed: int = 0,
    progress: Callable[[float], None] = lambda _: None,
) -> PlanDocument:
    """Return a plan in which every VM is in one wave, or named with the reason why it is in none.

    :param seconds: the effort; see :mod:`~hcx_waves.planner.anneal`.
    :raises NoPlanError: if not all rules can be kept.
    :raises PlanRulesError: if the rules name VMs that are not there or several.
    """
    planning = build(inventory, rules, parameters)
    board = None if planning.broken else find_plan(planning.problem, seconds=seconds, seed=seed, progress=progress)
    detail = [words for _, words in planning.broken] if board is None else _shortcomings(board)
    if board is None or detail:
        raise NoPlanError(conflict(inventory, rules, parameters), detail[:_NAMED])
    return describe(planning, board, inventory, seconds=seconds, seed=seed)


def describe(
    planning: Planning, board: Board, inventory: InventoryDocument, *, seconds: float, seed: int
) -> PlanDocument:
    """Return the document of an assignment."""
    describer = _Describer(planning, board, inventory)
    return PlanDocument(
        inventory_digest=digest_of(inventory.model_dump(mode="json", exclude_defaults=True)),
        rules_digest=digest_of(planning.rules.model_dump(mode="json", exclude_defaults=True)),
        rules=planning.rules,
        seed=seed,
        effort_seconds=seconds,
        figures=figures_of(board),
        compared=_compared(planning.problem),
        coverage={one.category: round(one.share, 4) for one in inventory.coverage},
        waves=tuple(describer.waves()),
        networks=tuple(describer.networks()),
        not_planned=tuple(
            NotPlanned(key=left.vm.key, name=left.vm.name, reason=left.reason) for left in planning.left_out
        ),
        notes=tuple(planning.notes),
    )


def _compared(problem: PlanningProblem) -> dict[str, PlanFigures]:
    ways = {"greedy": greedy, "biggest application first": biggest_first, "network by network": by_network}
    return {name: figures_of(way(problem)) for name, way in ways.items()}


def _shortcomings(board: Board) -> list[str]:
    problem = board.problem
    lost = [problem.names[problem.atoms[atom].vms[0]] for atom, night in enumerate(board.night) if night == UNPLACED]
    fits = [f"{counted(len(lost), 'group')} of VMs fit on no night, such as that of {lost[0]}"] if lost else []
    return [*fits, *violations(board)]


class _Describer:
    """Says of each wave, VM and network what a person asks about it."""

    def __init__(self, planning: Planning, board: Board, inventory: InventoryDocument) -> None:
        self._planning, self._problem, self._board = planning, planning.problem, board
        self._nights = [night for night, load in enumerate(board.loads) if load.vms]
        prefix = planning.rules.name
        self._names = {night: f"{prefix}-{number:03d}" for number, night in enumerate(self._nights, start=1)}
        self._atoms: dict[int, list[int]] = defaultdict(list)
        for atom, night in enumerate(board.night):
            if night != UNPLACED:
                self._atoms[night].append(atom)
        self._held: dict[str, list[str]] = defaultdict(list)
        for left in planning.left_out:
            if left.reason.startswith("stays"):
                for name in left.vm.networks:
                    self._held[name].append(left.vm.name)
        for name in planning.rules.never:
            self._held[name].append("never")
        del inventory

    def waves(self) -> Iterator[PlanWave]:
        for night in self._nights:
            yield self._wave(night)

    def networks(self) -> Iterator[PlannedNetwork]:
        problem = self._problem
        for segment, name in enumerate(problem.segments):
            span, own = self._board.span(segment), self._board.spans[segment]
            if span is None or own is None:
                continue
            yield PlannedNetwork(
                name=name,
                first_wave="" if segment in problem.pinned_open else self._names[own[0]],
                last_wave="" if segment in problem.held else self._names[own[1]],
                first_day=problem.nights[span[0]].isoformat(),
                last_day=problem.nights[span[1]].isoformat(),
                days=self._board.stretched(segment),
                weight=problem.weights[segment],
                held_by=tuple(sorted(set(self._held[name]))),
            )

    def _wave(self, night: int) -> PlanWave:
        problem, board, load = self._problem, self._board, self._board.loads[night]
        used = sorted({segment for atom in self._atoms[night] for segment in problem.atoms[atom].segments})
        ends = {segment: board.spans[segment] or (night, night) for segment in used}
        opens = [one for one in used if ends[one][0] == night and one not in problem.pinned_open]
        cuts = [one for one in used if ends[one][1] == night and one not in problem.held]
        keeps = [one for one in used if one not in cuts]
        return PlanWave(
            name=self._names[night],
            night=problem.nights[night].isoformat(),
            members=tuple(self._members(night, set(opens), set(cuts))),
            gib=load.gib,
            queue_seconds=queue_seconds(load.queue_mean, load.queue_variance),
            window_seconds=int(self._planning.rules.nights.lasts.total_seconds()),
            slots=board.open[night],
            opens=tuple(problem.segments[one] for one in opens),
            cuts=tuple(problem.segments[one] for one in cuts),
            keeps=tuple(problem.segments[one] for one in keeps),
            after=self._after(night, cuts),
            reasons=tuple(self._reasons(night, opens, cuts, keeps)),
            risks=tuple(self._risks(night, load, keeps)),
            not_kept=tuple(self._not_kept(night)),
            confidence=self._confidence(night),
        )

    def _members(self, night: int, opens: set[int], cuts: set[int]) -> Iterator[PlannedMember]:
        problem = self._problem
        for number, atom in enumerate(self._atoms[night]):
            one = problem.atoms[atom]
            why = self._why(atom, night, opens, cuts)
            for vm in one.vms:
                known = self._planning.vms[vm]
                yield PlannedMember(
                    key=known.key,
                    name=known.name,
                    instance_uuid=known.instance_uuid,
                    why=why,
                    together=number,
                    networks=tuple(name for name in known.networks if name not in self._planning.rules.ignore),
                )

    def _why(self, atom: int, night: int, opens: set[int], cuts: set[int]) -> str:
        problem, one = self._problem, self._problem.atoms[atom]
        parts = [f"moves with the others of {one.why}"] if one.why and one.size > 1 else []
        if one.earliest == one.latest:
            parts.append(f"is pinned to {problem.nights[night]}")
        closing = [problem.segments[segment] for segment in one.segments if segment in cuts]
        shared = [problem.segments[segment] for segment in one.segments if segment not in cuts and segment not in opens]
        if closing:
            parts.append(f"lets {listed(closing, _NAMED)} be cut over in this wave")
        if shared:
            parts.append(f"uses {listed(shared, _NAMED)}, which is extended at this time anyway")
        return "; ".join(parts) or "fits here and ties no network"

    def _after(self, night: int, cuts: Sequence[int]) -> tuple[str, ...]:
        """Return the waves that must have ended before: those that move VMs of what is cut, and those of rules."""
        board, problem = self._board, self._problem
        needed = {board.night[atom] for segment in cuts for atom in problem.atoms_of[segment]}
        needed |= {board.night[first] for atom in self._atoms[night] for first in problem.before[atom]}
        return tuple(self._names[one] for one in sorted(needed) if one != UNPLACED and one < night)

    def _reasons(self, night: int, opens: Sequence[int], cuts: Sequence[int], keeps: Sequence[int]) -> Iterator[str]:
        names = self._problem.segments
        if cuts:
            yield f"cuts over {counted(len(cuts), 'network')}: {listed([names[one] for one in cuts], _NAMED)}"
        whole = [one for one in cuts if one in opens]
        if whole:
            yield f"{counted(len(whole), 'network')} of them need no other wave"
        if keeps:
            later = listed([names[one] for one in keeps], _NAMED)
            yield f"{counted(len(keeps), 'network')} are not cut over yet: {later}"
        if night < self._problem.pilot_waves:
            yield "is a pilot"

    def _risks(self, night: int, load: Load, keeps: Sequence[int]) -> Iterator[str]:
        problem = self._problem
        queue = queue_seconds(load.queue_mean, load.queue_variance)
        if problem.window < UNLIMITED and queue * 1000 > _FULL * problem.window:
            yield "the switchovers fill more than 90 % of the window"
        if self._board.open[night] > _FULL * problem.slots:
            yield f"{self._board.open[night]} of {problem.slots} slots are in use"
        held = [problem.segments[one] for one in keeps if one in problem.held]
        if held:
            yield f"{listed(held, _NAMED)} can never be cut over"
        unknown = sum(
            not self._planning.vms[vm].networks for atom in self._atoms[night] for vm in problem.atoms[atom].vms
        )
        if unknown:
            yield f"of {counted(unknown, 'VM')} no network is known"

    def _not_kept(self, night: int) -> Iterator[str]:
        problem, board = self._problem, self._board
        cut = sum(
            weight
            for atom in self._atoms[night]
            for other, weight in problem.edges[atom]
            if board.night[other] != night
        )
        if cut:
            yield f"{counted(cut, 'dependency')} on VMs of other waves".replace("dependencys", "dependencies")
        split = Counter(
            self._planning.vms[vm].application for atom in self._atoms[night] for vm in problem.atoms[atom].vms
        )
        elsewhere = {
            self._planning.vms[vm].application
            for other, there in enumerate(board.night)
            if there not in (night, UNPLACED)
            for vm in problem.atoms[other].vms
        }
        divided = sorted(name for name in split if name is not None and name in elsewhere)
        if divided:
            yield f"applications in several waves: {listed(divided, _NAMED)}"

    def _confidence(self, night: int) -> float:
        vms = [self._planning.vms[vm] for atom in self._atoms[night] for vm in self._problem.atoms[atom].vms]
        shares = (
            sum(bool(vm.networks) for vm in vms),
            sum(vm.used_bytes is not None for vm in vms),
            sum(vm.application is not None for vm in vms),
        )
        return round(min(shares) / len(vms), 4)
