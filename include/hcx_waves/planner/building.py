"""From an inventory and rules to a problem: which VMs are planned, what holds them together, what each rule demands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from hcx_waves.forecast import ModelParameters
from hcx_waves.inventory.model import EstateVm, InventoryDocument
from hcx_waves.model.choices import MigrationType
from hcx_waves.model.spelling import KnownNames, one_spelling
from hcx_waves.planner.problem import UNLIMITED, Atom, PlanningProblem
from hcx_waves.planner.queue import TurnLength, turn_lengths
from hcx_waves.planner.rules import PlanRules, PlanRulesError, nights_of
from hcx_waves.planner.unions import Unions

_GIB = 1024**3
_APPLICATION = "app:"
_ASSUMED_GIB = 100
_STAGES = {"prod": 2, "production": 2, "prd": 2, "live": 2, "dev": 0, "development": 0, "test": 0, "tst": 0, "qa": 0}
_CRITICAL = frozenset(("high", "critical", "1", "gold", "tier 1", "tier1", "mission critical"))
_STRONGEST = 5
_SPARE_NIGHTS = 12


@dataclass(frozen=True)
class LeftOut:
    """A VM that is in no wave, and why."""

    vm: EstateVm
    reason: str


@dataclass
class Planning:
    """A problem with what it was made of.

    :param vms: the VMs of the problem, by its indices.
    :param rule_ids: the rules that the problem keeps, for saying which of them conflict.
    """

    problem: PlanningProblem
    vms: list[EstateVm]
    left_out: list[LeftOut]
    rules: PlanRules
    notes: list[str] = field(default_factory=list)
    broken: list[tuple[frozenset[str], str]] = field(default_factory=list)


def rule_ids(rules: PlanRules) -> list[str]:
    """Return the ids of all rules that can make a plan impossible, as their places in the rules file."""
    found = ["limits.vms", "limits.gib", "limits.slots", "limits.concurrent", "nights.lasts", "nights.until"]
    found += ["limits.days_stretched"] if rules.limits.days_stretched is not None else []
    found += ["pilots"] if rules.pilots.waves else []
    for name in ("freezes", "together", "apart", "pins", "after"):
        found += [f"{name}[{index}]" for index in range(len(getattr(rules, name)))]
    return [*found, "inventory.shared_disks", "inventory.anti_affinity"]


class Selector:
    """Finds the VMs that the rules name."""

    def __init__(self, vms: Iterable[EstateVm]) -> None:
        self._by: dict[str, list[str]] = defaultdict(list)
        for vm in vms:
            self._by[one_spelling(vm.name).casefold()].append(vm.key)
            if vm.key != vm.name:
                self._by[vm.key.casefold()].append(vm.key)
            if vm.application:
                self._by[f"{_APPLICATION}{vm.application}".casefold()].append(vm.key)
        self._names = KnownNames(self._by)
        self.problems: list[str] = []

    def keys(self, members: Iterable[str], place: str) -> list[str]:
        """Return the keys of VMs; a name that fits none, or several, is a problem."""
        found = []
        for member in members:
            fits = self._by.get(one_spelling(member).casefold(), [])
            if not fits:
                self.problems.append(f'{place}: no VM is called "{member}". {self._names.hint(member, "names")}')
            elif len(fits) > 1 and not member.casefold().startswith(_APPLICATION):
                self.problems.append(
                    f'{place}: "{member}" are {len(fits)} VMs: write the key of one, such as {fits[0]}'
                )
            else:
                found += fits
        return found


def build(
    inventory: InventoryDocument,
    rules: PlanRules,
    parameters: ModelParameters | None = None,
    without: frozenset[str] = frozenset(),
    parts: Mapping[str, str] | None = None,
) -> Planning:
    """Return the problem that an inventory and rules make.

    :param without: ids of rules that do not count.
    :param parts: where VMs have been put already, by key; what only should move together is not joined across these.
    :raises PlanRulesError: if the rules name VMs that are not there or several.
    """
    return _Builder(inventory, rules, parameters or ModelParameters(), without, parts or {}).build()


class _Builder:
    def __init__(
        self,
        inventory: InventoryDocument,
        rules: PlanRules,
        parameters: ModelParameters,
        without: frozenset[str],
        parts: Mapping[str, str],
    ) -> None:
        self._inventory, self._rules, self._without, self._parts = inventory, rules, without, parts
        self._turns = turn_lengths(parameters)
        self._selector = Selector(inventory.vms)
        self._left_out = self._find_left_out()
        self._vms = [vm for vm in inventory.vms if vm.key not in self._left_out]
        self._index = {vm.key: number for number, vm in enumerate(self._vms)}
        limits = rules.limits
        self._max_vms = min(self._cap("limits.vms", limits.vms), self._cap("limits.concurrent", limits.concurrent))
        self._max_gib = self._cap("limits.gib", limits.gib)
        self._notes: list[str] = []
        self._broken: list[tuple[frozenset[str], str]] = []

    def build(self) -> Planning:
        rules, limits = self._rules, self._rules.limits
        groups = self._groups()
        atom_of = {vm: number for number, (members, _) in enumerate(groups) for vm in members}
        after = self._after(atom_of)
        wanted = max(3 * len(self._vms) // self._max_vms, len(groups) // 50, len(after)) + _SPARE_NIGHTS
        nights = nights_of(rules, wanted + rules.pilots.waves, self._without)
        names = sorted({name for vm in self._vms for name in self._networks(vm)})
        place = {name: number for number, name in enumerate(names)}
        windows = self._windows(nights)
        atoms = [self._atom(members, why, place, windows, len(nights)) for members, why in groups]
        if self._selector.problems:
            raise PlanRulesError("\n".join(self._selector.problems))
        extended = {one.name for one in self._inventory.networks if one.extended}
        problem = PlanningProblem(
            names=[vm.name for vm in self._vms],
            keys=[vm.key for vm in self._vms],
            atoms=atoms,
            segments=names,
            weights=self._weights(names),
            nights=nights,
            max_vms=self._max_vms,
            max_gib=self._max_gib,
            slots=self._cap("limits.slots", limits.slots),
            window=self._cap("nights.lasts", int(rules.nights.lasts.total_seconds()) * 1000 * limits.meshes),
            max_days=self._cap("limits.days_stretched", limits.days_stretched or UNLIMITED),
            pilot_waves=0 if "pilots" in self._without else rules.pilots.waves,
            pilot_vms=rules.pilots.vms,
            pinned_open=frozenset(place[name] for name in extended if name in place),
            held=frozenset(place[name] for name in self._held() if name in place),
            apart=self._apart(atom_of, len(atoms)),
            before=_directed(after, len(atoms), forward=False),
            behind=_directed(after, len(atoms), forward=True),
            edges=self._edges(atom_of, len(atoms)),
        )
        left = [LeftOut(vm, self._left_out[vm.key]) for vm in self._inventory.vms if vm.key in self._left_out]
        return Planning(problem, self._vms, left, rules, self._notes, self._broken)

    def _cap(self, rule: str, value: int) -> int:
        return UNLIMITED if rule in self._without else value

    def _find_left_out(self) -> dict[str, str]:
        """Return why VMs are in no wave, by key: what cannot be moved, and what the rules say stays."""
        found = {}
        names: dict[str, int] = defaultdict(int)
        for vm in self._inventory.vms:
            names[one_spelling(vm.name).casefold()] += 1
        for vm in self._inventory.vms:
            if vm.template:
                found[vm.key] = "is a template or a placeholder"
            elif names[one_spelling(vm.name).casefold()] > 1 and vm.instance_uuid is None:
                found[vm.key] = (
                    "has the name of another VM, and no instance UUID is known to tell a wave which is meant"
                )
        for number, staying in enumerate(self._rules.stays):
            for key in self._selector.keys(staying.members, f"stays[{number}]"):
                found[key] = f"stays: {staying.reason}"
        return found

    def _networks(self, vm: EstateVm) -> list[str]:
        return [name for name in vm.networks if name not in self._rules.ignore]

    def _held(self) -> set[str]:
        """Return the networks that can never be cut over: a VM on them stays, or the rules say so."""
        stays = [vm for vm in self._inventory.vms if self._left_out.get(vm.key, "").startswith("stays")]
        return {*self._rules.never, *(name for vm in stays for name in self._networks(vm))}

    def _groups(self) -> list[tuple[tuple[int, ...], str]]:
        """Return the atoms: what must move together, then what should, as far as it fits into a wave."""
        unions = Unions(len(self._vms))
        for reason, members in self._must():
            unions.join([self._index[key] for key in members if key in self._index], reason)
        apart = self._apart_pairs()
        for rule, one, other in apart:
            if unions.root(one) == unions.root(other):
                reasons = unions.chain(one, other)
                self._broken.append(
                    (frozenset({rule, *reasons}), f"{self._vms[one].name} and {self._vms[other].name} must be apart")
                )
        most = max(1, min(self._max_vms, 2000))
        enemies = [(a, b) for _, a, b in apart]
        for reason, members in self._should():
            split = 0
            for _, keys in sorted(_by_part(members, self._parts).items()):
                indices = [self._index[key] for key in keys if key in self._index]
                split += unions.join_up_to(indices, reason, most, enemies, self._fits)
            if split > 1:
                self._notes.append(
                    f"{reason} is split into {split} parts: it does not fit into one wave, or was divided"
                )
        return unions.groups()

    def _fits(self, members: Iterable[int]) -> bool:
        """Whether VMs fit into one wave as far as space and switchovers go."""
        vms = [self._vms[one] for one in members]
        turns = [self._turn(vm) for vm in vms]
        window = self._cap(
            "nights.lasts", int(self._rules.nights.lasts.total_seconds()) * 1000 * self._rules.limits.meshes
        )
        return sum(map(_gib, vms)) <= self._max_gib and sum(turn.mean for turn in turns) * 5 <= window * 4

    def _must(self) -> Iterator[tuple[str, list[str]]]:
        for number, members in enumerate(self._rules.together):
            if f"together[{number}]" not in self._without:
                yield f"together[{number}]", self._selector.keys(members, f"together[{number}]")
        if "inventory.shared_disks" in self._without:
            return
        by_path: dict[str, list[str]] = defaultdict(list)
        for vm in self._vms:
            for disk in vm.disks:
                if disk.path:
                    by_path[disk.path].append(vm.key)
        for path in sorted(by_path):
            if len(set(by_path[path])) > 1:
                yield "inventory.shared_disks", by_path[path]

    def _should(self) -> Iterator[tuple[str, list[str]]]:
        for word, groups in (
            ("affinity group", _by(self._vms, lambda vm: vm.affinity)),
            ("application", _by(self._vms, lambda vm: vm.application)),
        ):
            for name in sorted(groups):
                yield f"{word} {name}", groups[name]
        seen = {(flow.source, flow.destination) for flow in self._inventory.flows}
        for source, destination in sorted(seen):
            if source < destination and (destination, source) in seen:
                yield "a dependency in both directions", [source, destination]

    def _apart_pairs(self) -> list[tuple[str, int, int]]:
        found = []
        for number, members in enumerate(self._rules.apart):
            keys = self._selector.keys(members, f"apart[{number}]")
            if f"apart[{number}]" not in self._without:
                found += [(f"apart[{number}]", a, b) for a, b in self._pairs(keys)]
        if "inventory.anti_affinity" not in self._without:
            for vm in self._vms:
                found += [
                    ("inventory.anti_affinity", a, b)
                    for other in vm.apart_from
                    for a, b in self._pairs([vm.key, other])
                ]
        return sorted(set(found))

    def _pairs(self, keys: Iterable[str]) -> Iterator[tuple[int, int]]:
        numbers = sorted({self._index[key] for key in keys if key in self._index})
        yield from ((a, b) for place, a in enumerate(numbers) for b in numbers[place + 1 :])

    def _apart(self, atom_of: Mapping[int, int], count: int) -> list[tuple[int, ...]]:
        found: list[set[int]] = [set() for _ in range(count)]
        for _, one, other in self._apart_pairs():
            if atom_of[one] != atom_of[other]:
                found[atom_of[one]].add(atom_of[other])
                found[atom_of[other]].add(atom_of[one])
        return [tuple(sorted(others)) for others in found]

    def _after(self, atom_of: Mapping[int, int]) -> set[tuple[int, int]]:
        found = set()
        for number, order in enumerate(self._rules.after):
            rule = f"after[{number}]"
            first, then = (self._selector.keys(one, rule) for one in (order.first, order.then))
            if rule in self._without:
                continue
            for a in first:
                for b in then:
                    if a in self._index and b in self._index:
                        pair = atom_of[self._index[a]], atom_of[self._index[b]]
                        if pair[0] == pair[1]:
                            self._broken.append(
                                (frozenset({rule}), f"{a} and {b} move together, so neither can be first")
                            )
                        else:
                            found.add(pair)
        return found

    def _windows(self, nights: list[date]) -> dict[int, tuple[int, int]]:
        """Return the first and the last night of VMs that the rules pin."""
        found: dict[int, tuple[int, int]] = {}
        for number, pin in enumerate(self._rules.pins):
            keys = self._selector.keys(pin.members, f"pins[{number}]")
            if f"pins[{number}]" in self._without:
                continue
            first, last = pin.on or pin.not_before, pin.on or pin.not_after
            begin = next((n for n, night in enumerate(nights) if first is None or night >= first), len(nights))
            end = max((n for n, night in enumerate(nights) if last is None or night <= last), default=-1)
            for key in keys:
                if key in self._index:
                    was = found.get(self._index[key], (0, len(nights) - 1))
                    found[self._index[key]] = max(was[0], begin), min(was[1], end)
        return found

    def _atom(
        self,
        members: tuple[int, ...],
        why: str,
        place: Mapping[str, int],
        windows: Mapping[int, tuple[int, int]],
        nights: int,
    ) -> Atom:
        vms = [self._vms[one] for one in members]
        turns = [self._turn(vm) for vm in vms]
        spans = [windows[one] for one in members if one in windows]
        return Atom(
            vms=members,
            segments=tuple(sorted({place[name] for vm in vms for name in self._networks(vm)})),
            size=len(members),
            gib=sum(map(_gib, vms)),
            queue_mean=sum(turn.mean for turn in turns),
            queue_variance=sum(turn.variance for turn in turns),
            earliest=max((span[0] for span in spans), default=0),
            latest=min((span[1] for span in spans), default=nights - 1),
            why=why,
            stage=max((_STAGES.get((vm.environment or "").casefold(), 1) for vm in vms), default=1),
            critical=any((vm.criticality or "").casefold() in _CRITICAL for vm in vms),
        )

    def _turn(self, vm: EstateVm) -> TurnLength:
        kind = self._rules.defaults.migration or MigrationType.RAV
        return self._turns[MigrationType.COLD if vm.power not in (None, "poweredOn") else kind]

    def _weights(self, names: list[str]) -> list[int]:
        """Return what a stretched day of each network costs: 1, and 1 more for each GiB that was seen on it."""
        traffic: dict[str, int] = defaultdict(int)
        by_key = {vm.key: vm for vm in self._vms}
        for flow in self._inventory.flows:
            for end in (flow.source, flow.destination):
                for name in by_key[end].networks if end in by_key else ():
                    traffic[name] += flow.bytes or 0
        return [1 + min(traffic[name] // _GIB, 1000) for name in names]

    def _edges(self, atom_of: Mapping[int, int], count: int) -> list[tuple[tuple[int, int], ...]]:
        weights: dict[tuple[int, int], int] = defaultdict(int)
        for flow in self._inventory.flows:
            if flow.source in self._index and flow.destination in self._index:
                one, other = atom_of[self._index[flow.source]], atom_of[self._index[flow.destination]]
                if one != other:
                    weights[min(one, other), max(one, other)] += 1
        found: list[list[tuple[int, int]]] = [[] for _ in range(count)]
        for (one, other), weight in sorted(weights.items()):
            found[one].append((other, min(weight, _STRONGEST)))
            found[other].append((one, min(weight, _STRONGEST)))
        return [tuple(others) for others in found]


def _gib(vm: EstateVm) -> int:
    known = vm.used_bytes if vm.used_bytes is not None else vm.provisioned_bytes
    return _ASSUMED_GIB if known is None else -(-known // _GIB)


def _by(vms: Iterable[EstateVm], of: object) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for vm in vms:
        name = of(vm)  # type: ignore[operator]
        if name:
            found[name].append(vm.key)
    return found


def _by_part(keys: Iterable[str], parts: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        found[parts.get(key, "")].append(key)
    return found


def _directed(pairs: Iterable[tuple[int, int]], count: int, *, forward: bool) -> list[tuple[int, ...]]:
    found: list[set[int]] = [set() for _ in range(count)]
    for first, then in pairs:
        found[first if forward else then].add(then if forward else first)
    return [tuple(sorted(others)) for others in found]
