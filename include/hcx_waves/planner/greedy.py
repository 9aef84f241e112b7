"""First plans: the one that keeps few networks open, and those that people make by hand, to compare with."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from hcx_waves.planner.board import Board
from hcx_waves.planner.problem import PlanningProblem

Order = Callable[[int], tuple[int, ...]]


def greedy(problem: PlanningProblem) -> Board:
    """Return a plan that at each step takes the atom which opens the fewest networks and closes the most.

    Atoms that fit on no night are on none.
    """
    return _Greedy(problem).fill()


def biggest_first(problem: PlanningProblem) -> Board:
    """Return the plan of somebody who takes the biggest application first."""
    return _filled(problem, lambda atom: (-problem.atoms[atom].size, atom))


def by_network(problem: PlanningProblem) -> Board:
    """Return the plan of somebody who goes through the networks one by one, by name."""
    names = {
        number: place
        for place, number in enumerate(sorted(range(len(problem.segments)), key=problem.segments.__getitem__))
    }
    return _filled(
        problem, lambda atom: (min((names[one] for one in problem.atoms[atom].segments), default=len(names)), atom)
    )


def _filled(problem: PlanningProblem, order: Order) -> Board:
    """Fill night by night in an order, without regard to slots and days."""
    board = Board(problem, [-1] * len(problem.atoms))
    for atom in sorted(range(len(problem.atoms)), key=order):
        for night in range(len(problem.nights)):
            if board.allows(atom, night):
                board.put(atom, night)
                break
    return board


class _Greedy:
    """Fills one night after the other from a heap whose entries are renewed when a network opens or nearly closes."""

    def __init__(self, problem: PlanningProblem) -> None:
        self._problem = problem
        self._board = Board(problem, [-1] * len(problem.atoms))
        self._left = [len(atoms) for atoms in problem.atoms_of]
        self._opened = [segment in problem.pinned_open for segment in range(len(problem.segments))]
        self._version = [0] * len(problem.atoms)
        self._heap: list[tuple[int, int, int, int, int]] = []

    def fill(self) -> Board:
        for atom in self._forced():
            night = self._problem.atoms[atom].earliest
            if self._board.allows(atom, night):
                self._place(atom, night)
        for atom in range(len(self._problem.atoms)):
            self._push(atom)
        for night in range(len(self._problem.nights)):
            self._urgent(night)
            self._night(night)
        return self._board

    def _forced(self) -> list[int]:
        atoms = self._problem.atoms
        return [n for n, atom in enumerate(atoms) if atom.earliest == atom.latest and atom.latest >= 0]

    def _urgent(self, night: int) -> None:
        """Put atoms first whose last night this is, or whose followers' is the next."""
        atoms = self._problem.atoms
        due = [n for n in range(len(atoms)) if self._board.night[n] < 0 and atoms[n].latest <= night + 1]
        for atom in sorted(due, key=lambda n: (atoms[n].latest, -atoms[n].size, n)):
            if self._board.allows(atom, night) and self._fits_slots(atom, night):
                self._place(atom, night)

    def _night(self, night: int) -> None:
        aside: list[int] = []
        while self._heap:
            _, _, _, atom, version = heapq.heappop(self._heap)
            if version != self._version[atom] or self._board.night[atom] >= 0:
                continue
            ready = all(self._board.night[other] >= 0 for other in self._problem.before[atom])
            if ready and self._board.allows(atom, night) and self._fits_slots(atom, night):
                self._place(atom, night)
            else:
                aside.append(atom)
            full = self._board.loads[night].vms >= self._problem.vm_cap(night)
            if full or len(aside) > 400:
                break
        for atom in aside:
            self._push(atom)

    def _fits_slots(self, atom: int, night: int) -> bool:
        board, problem = self._board, self._problem
        opened = sum(1 for segment in problem.atoms[atom].segments if not self._opened[segment])
        # What is open now and not finished stays open until its last atom is placed.
        held = sum(
            1
            for segment, span in enumerate(board.spans)
            if self._opened[segment] and (self._left[segment] or (span is not None and span[1] >= night))
        )
        return held + opened <= problem.slots

    def _place(self, atom: int, night: int) -> None:
        self._board.put(atom, night)
        renewed: set[int] = set()
        for segment in self._problem.atoms[atom].segments:
            self._left[segment] -= 1
            if not self._opened[segment]:
                self._opened[segment] = True
                renewed.update(self._problem.atoms_of[segment])
            elif self._left[segment] <= 2:
                renewed.update(one for one in self._problem.atoms_of[segment] if self._board.night[one] < 0)
        for one in sorted(renewed):
            if self._board.night[one] < 0:
                self._push(one)

    def _push(self, atom: int) -> None:
        if self._board.night[atom] >= 0:
            return
        one = self._problem.atoms[atom]
        opens = sum(self._problem.weights[segment] for segment in one.segments if not self._opened[segment])
        closes = sum(1 for segment in one.segments if self._left[segment] == 1)
        left = min((self._left[segment] for segment in one.segments), default=0)
        self._version[atom] += 1
        heapq.heappush(self._heap, (opens - closes, one.stage, left, atom, self._version[atom]))
