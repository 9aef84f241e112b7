"""What a plan is measured by, and which hard rules it breaks."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from hcx_waves.model.base import DomainModel
from hcx_waves.planner.board import Board
from hcx_waves.planner.queue import fits_window

UNPLACED = -1


class PlanFigures(DomainModel):
    """The objective of a plan, in the order in which it counts."""

    days_stretched: int
    """Days that networks are extended, all networks together, each with its weight (traffic)."""
    plain_days: int
    """The same without weights."""
    peak_slots: int
    """Networks that are extended at once, at most."""
    waves: int
    last_night: str = ""
    largest: int
    """VMs of the largest wave, and of the smallest."""
    smallest: int
    dependencies_cut: int
    """Pairs of VMs in different waves that flows were seen between."""
    unplaced: int = Field(default=0)
    """VMs that fit on no night."""


def figures_of(board: Board) -> PlanFigures:
    """Return the figures of a plan."""
    problem = board.problem
    stretched = [board.stretched(segment) for segment in range(len(problem.segments))]
    sizes = [load.vms for load in board.loads if load.vms]
    used = [night for night, load in enumerate(board.loads) if load.vms]
    cut = sum(
        weight
        for atom, others in enumerate(problem.edges)
        for other, weight in others
        if atom < other and board.night[atom] != board.night[other]
    )
    return PlanFigures(
        days_stretched=sum(days * weight for days, weight in zip(stretched, problem.weights, strict=True)),
        plain_days=sum(stretched),
        peak_slots=max(board.open, default=0),
        waves=len(used),
        last_night=problem.nights[used[-1]].isoformat() if used else "",
        largest=max(sizes, default=0),
        smallest=min(sizes, default=0),
        dependencies_cut=cut,
        unplaced=sum(problem.atoms[atom].size for atom, night in enumerate(board.night) if night == UNPLACED),
    )


def violations(board: Board) -> list[str]:
    """Return every hard rule that a plan breaks, a sentence each; VMs that are on no night break none."""
    return [*_of_nights(board), *_of_networks(board), *_of_atoms(board)]


def _of_nights(board: Board) -> Iterator[str]:
    problem = board.problem
    for night, load in enumerate(board.loads):
        day = problem.nights[night].isoformat()
        if load.vms > problem.vm_cap(night):
            yield f"{day} has {load.vms} VMs, and at most {problem.vm_cap(night)} may be in its wave"
        if load.gib > problem.max_gib:
            yield f"{day} has {load.gib} GiB, and at most {problem.max_gib} may be in a wave"
        if load.vms and not fits_window(load.queue_mean, load.queue_variance, problem.window):
            yield f"the switchovers of {day} do not fit into the window"
        if board.open[night] > problem.slots:
            yield f"{board.open[night]} networks are extended on {day}, and there are {problem.slots} slots"


def _of_networks(board: Board) -> Iterator[str]:
    problem = board.problem
    for segment, name in enumerate(problem.segments):
        days = board.stretched(segment)
        if days > problem.max_days and segment not in problem.held:
            yield f"network {name} is extended for {days} days, and at most {problem.max_days} are allowed"


def _of_atoms(board: Board) -> Iterator[str]:
    problem = board.problem
    for number, atom in enumerate(problem.atoms):
        night, name = board.night[number], problem.names[atom.vms[0]]
        if night == UNPLACED:
            continue
        if not atom.earliest <= night <= atom.latest:
            yield f"{name} moves on {problem.nights[night]}, which its pins do not allow"
        for other in problem.apart[number]:
            if other > number and board.night[other] == night:
                second = problem.names[problem.atoms[other].vms[0]]
                yield f"{name} and {second} must be apart and move on the same night"
        for other in problem.before[number]:
            if board.night[other] == UNPLACED or board.night[other] >= night:
                first = problem.names[problem.atoms[other].vms[0]]
                yield f"{first} must move before {name} and does not"
