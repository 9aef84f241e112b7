"""Questions about a plan: why is it so, how do two differ, what if there were more slots."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.forecast import ModelParameters
from hcx_waves.inventory.model import InventoryDocument
from hcx_waves.model.formatting import counted, listed
from hcx_waves.model.spelling import KnownNames
from hcx_waves.planner.board import Board
from hcx_waves.planner.building import build
from hcx_waves.planner.document import PlanDocument, PlannedMember, PlanWave
from hcx_waves.planner.figures import UNPLACED, PlanFigures, figures_of
from hcx_waves.planner.rules import PlanLimits, PlanRules

_NAMED = 8


class NotInPlanError(LookupError):
    """A name that is no VM, wave or network of a plan; the message has the nearest ones."""


def explain(plan: PlanDocument, name: str, inventory: InventoryDocument | None = None) -> list[str]:
    """Return why a VM, wave or network is planned as it is, a sentence a line.

    :param inventory: that the plan was made of; with it, what would change if a VM moved in another wave is said.
    :raises NotInPlanError: if the plan has nothing of that name.
    """
    for wave in plan.waves:
        if wave.name == name:
            return list(_of_wave(wave))
    for network in plan.networks:
        if network.name == name:
            cut = f"{network.last_wave} cuts it over" if network.last_wave else "no wave can cut it over"
            held = f": {', '.join(network.held_by)}" if network.held_by else ""
            begin = network.first_wave or "before the first wave"
            return [f"{name} is extended for {counted(network.days, 'day')}, from {begin} on; {cut}{held}"]
    found = [(wave, one) for wave in plan.waves for one in wave.members if name in (one.key, one.name)]
    left = [f"{one.name} is in no wave: it {one.reason}" for one in plan.not_planned if name in (one.key, one.name)]
    if not found and not left:
        known = [one.name for wave in plan.waves for one in wave.members]
        known += [*(wave.name for wave in plan.waves), *(one.name for one in plan.networks)]
        raise NotInPlanError(f'the plan has no VM, wave or network "{name}". {KnownNames(known).hint(name, "names")}')
    lines = [line for wave, one in found for line in _of_vm(wave, one)]
    if inventory is not None:
        lines += [line for _, one in found for line in _if_moved(plan, one, inventory)]
    return [*lines, *left]


def compare_plans(one: PlanDocument, other: PlanDocument) -> list[str]:
    """Return how two plans differ: figures, then VMs that are in other waves, a sentence a line."""
    lines = []
    for field in PlanFigures.model_fields:
        was, now = getattr(one.figures, field), getattr(other.figures, field)
        if was != now:
            lines.append(f"{field.replace('_', ' ')}: {was} and {now}")
    first, second = ({vm.key: wave.name for wave in plan.waves for vm in wave.members} for plan in (one, other))
    moved = sorted(key for key in first if key in second and first[key] != second[key])
    lines.append(f"{counted(len(moved), 'VM')} in another wave, of {len(set(first) & set(second))} that both have")
    lines += [f"{key}: {first[key]} and {second[key]}" for key in moved[:_NAMED]]
    for words, keys in (
        ("only in the first", set(first) - set(second)),
        ("only in the second", set(second) - set(first)),
    ):
        if keys:
            lines.append(f"{counted(len(keys), 'VM')} {words}: {listed(sorted(keys), _NAMED)}")
    return lines


def changed_rules(rules: PlanRules, *, slots: int | None, window: str | None, meshes: int | None) -> PlanRules:
    """Return rules with other limits.

    :param window: a length of time, such as ``8h``.
    :raises ValidationError: if a value is not allowed.
    """
    limits = {**rules.limits.model_dump(), **{k: v for k, v in (("slots", slots), ("meshes", meshes)) if v is not None}}
    nights = rules.nights.model_dump(mode="json", exclude_defaults=True)
    if window is not None:
        nights["lasts"] = window
    return rules.model_copy(
        update={"limits": PlanLimits.model_validate(limits), "nights": type(rules.nights).model_validate(nights)}
    )


def _of_wave(wave: PlanWave) -> Iterator[str]:
    yield f"{wave.name}: {wave.night}, {counted(len(wave.members), 'VM')}, {wave.gib} GiB, {wave.slots} slots in use"
    for title, lines in (("why", wave.reasons), ("risk", wave.risks), ("not kept", wave.not_kept)):
        for line in lines:
            yield f"{title}: {line}"
    yield f"after: {', '.join(wave.after) or 'nothing'}; confidence {wave.confidence:.0%}"


def _of_vm(wave: PlanWave, one: PlannedMember) -> Iterator[str]:
    with_it = [other.name for other in wave.members if other.together == one.together and other.key != one.key]
    yield f"{one.name} ({one.key}) is in {wave.name}, {wave.night}: it {one.why}"
    if with_it:
        yield f"moves with {listed(with_it, _NAMED)}"


def _if_moved(plan: PlanDocument, member: PlannedMember, inventory: InventoryDocument) -> Iterator[str]:
    """Yield what would change if a VM, with those that move with it, were in the wave before or after, or elsewhere."""
    parts = {one.key: wave.name for wave in plan.waves for one in wave.members}
    planning = build(inventory, plan.rules, ModelParameters(), parts=parts)
    problem, night_of = planning.problem, {wave.name: wave.night for wave in plan.waves}
    place = {night.isoformat(): number for number, night in enumerate(problem.nights)}
    nights = [
        place.get(night_of[parts[problem.keys[atom.vms[0]]]], UNPLACED)
        if problem.keys[atom.vms[0]] in parts
        else UNPLACED
        for atom in problem.atoms
    ]
    board = Board(problem, nights)
    mine = next(
        (n for n, atom in enumerate(problem.atoms) if member.key in {problem.keys[vm] for vm in atom.vms}), None
    )
    if mine is None or board.night[mine] == UNPLACED:
        return
    was = board.take(mine)
    board.put(mine, was)
    before = figures_of(board)
    for wave in plan.waves:
        there = place.get(wave.night, UNPLACED)
        if there in (UNPLACED, was) or abs(there - was) > 2:
            continue
        board.take(mine)
        allowed = board.allows(mine, there)
        board.put(mine, there)
        after = figures_of(board)
        board.take(mine)
        board.put(mine, was)
        more = after.days_stretched - before.days_stretched
        words = f"{more:+d} days stretched, {after.dependencies_cut - before.dependencies_cut:+d} dependencies cut"
        yield f"in {wave.name} instead: {words}{'' if allowed else '; a hard rule does not allow it as things are'}"
