"""The planner's problem in whole numbers: atoms that move together, networks that tie them, nights, limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from hcx_waves.planner.queue import fits_window

UNLIMITED = 1 << 60


@dataclass(frozen=True)
class Atom:
    """VMs that move in one wave.

    :param vms: indices of the VMs in the problem.
    :param why: what holds them together, in a few words.
    :param earliest: the first night that it may move on; ``latest`` the last one.
    :param stage: 0 for development, 1 for test or unknown, 2 for production.
    """

    vms: tuple[int, ...]
    segments: tuple[int, ...]
    size: int
    gib: int
    queue_mean: int
    queue_variance: int
    earliest: int
    latest: int
    why: str
    stage: int = 1
    critical: bool = False


@dataclass
class PlanningProblem:
    """What is to be planned; an assignment gives each atom a night.

    :param pinned_open: networks that are extended already, so that their span begins with the first night.
    :param held: networks that can never be cut over; their span ends with the last night.
    :param apart: atoms that no night may have both of, by atom.
    :param before: atoms that must be on an earlier night, by atom; ``behind`` is the other direction.
    :param edges: how strongly atoms depend on each other, by atom.
    """

    names: list[str]
    keys: list[str]
    atoms: list[Atom]
    segments: list[str]
    weights: list[int]
    nights: list[date]
    max_vms: int
    max_gib: int
    slots: int
    window: int
    max_days: int
    pilot_waves: int
    pilot_vms: int
    pinned_open: frozenset[int] = frozenset()
    held: frozenset[int] = frozenset()
    apart: list[tuple[int, ...]] = field(default_factory=list)
    before: list[tuple[int, ...]] = field(default_factory=list)
    behind: list[tuple[int, ...]] = field(default_factory=list)
    edges: list[tuple[tuple[int, int], ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Derive what is asked often."""
        self.days = [night.toordinal() for night in self.nights]
        self.atoms_of: list[list[int]] = [[] for _ in self.segments]
        for number, atom in enumerate(self.atoms):
            for segment in atom.segments:
                self.atoms_of[segment].append(number)
        for name in ("apart", "before", "behind", "edges"):
            if not getattr(self, name):
                setattr(self, name, [() for _ in self.atoms])

    def vm_cap(self, night: int) -> int:
        """Return how many VMs a night may have."""
        return min(self.max_vms, self.pilot_vms) if night < self.pilot_waves else self.max_vms


@dataclass
class Load:
    """What is on one night."""

    vms: int = 0
    gib: int = 0
    queue_mean: int = 0
    queue_variance: int = 0

    def takes(self, problem: PlanningProblem, night: int, atom: Atom) -> bool:
        """Whether an atom fits as well."""
        return (
            self.vms + atom.size <= problem.vm_cap(night)
            and self.gib + atom.gib <= problem.max_gib
            and fits_window(
                self.queue_mean + atom.queue_mean, self.queue_variance + atom.queue_variance, problem.window
            )
        )

    def add(self, atom: Atom, sign: int = 1) -> None:
        """Add an atom, or take it away with ``sign`` -1."""
        self.vms += sign * atom.size
        self.gib += sign * atom.gib
        self.queue_mean += sign * atom.queue_mean
        self.queue_variance += sign * atom.queue_variance
