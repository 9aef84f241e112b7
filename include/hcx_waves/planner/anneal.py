"""Improve a plan by moving and swapping atoms; what makes it worse is allowed at first, and less and less.

How long it goes on is counted in moves, not by a clock: the same seed and effort give the same plan on every machine.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from hcx_waves.planner.board import DAY, Board
from hcx_waves.planner.problem import PlanningProblem

MOVES_PER_SECOND = 100_000
"""How many moves one second of effort stands for; about what two cores of today do."""
_STEP = 5_000
_HOT, _COLD = 1.0, 0.02


def improve(
    problem: PlanningProblem,
    start: Board,
    *,
    seconds: float,
    seed: int,
    fixed: frozenset[int] = frozenset(),
    progress: Callable[[float], None] = lambda _: None,
) -> Board:
    """Return the best plan that is found.

    :param start: the plan to begin with; atoms that are on no night stay there.
    :param seconds: the effort, as :data:`MOVES_PER_SECOND` moves each.
    :param fixed: atoms that stay where they are.
    :param progress: is called with the share that is done, 0 to 1.
    """
    movable = [atom for atom, night in enumerate(start.night) if night >= 0 and atom not in fixed]
    moves = int(seconds * MOVES_PER_SECOND)
    if len(movable) < 2 or moves == 0:
        return start
    search = _Annealing(problem, start, movable, random.Random(seed))  # noqa: S311 - a search, not a secret
    for done in range(0, moves, _STEP):
        part = done / moves
        search.go(min(_STEP, moves - done), _HOT * (_COLD / _HOT) ** part)
        progress(part)
    return Board(problem, search.best)


class _Annealing:
    """The state of a search: the plan it is at, and the best one it has been at."""

    def __init__(self, problem: PlanningProblem, start: Board, movable: list[int], stream: random.Random) -> None:
        self._problem, self._movable, self._random = problem, movable, stream
        self._board = Board(problem, start.night)
        self._last = max(start.night)
        self._gap = max(1, min((b - a for a, b in zip(problem.days, problem.days[1:], strict=False)), default=1))
        self._is_movable = [False] * len(problem.atoms)
        for atom in movable:
            self._is_movable[atom] = True
        self.best, self._best_cost = list(self._board.night), self._board.cost

    def go(self, moves: int, heat: float) -> None:
        """Try some moves at one temperature: about what moving an end of a network by a night costs."""
        temperature = heat * self._gap * DAY
        for _ in range(moves):
            self._try(temperature)

    def _try(self, temperature: float) -> None:
        board, rand = self._board, self._random.random
        atom = self._movable[int(rand() * len(self._movable))]
        was, night = board.night[atom], self._target(atom)
        if night == was:
            return
        before = board.cost
        other = -1
        board.take(atom)
        if board.allows(atom, night):
            board.put(atom, night)
        else:
            other = self._partner(night)
            if other < 0 or not self._swap(atom, other, was, night):
                board.put(atom, was)
                return
        worse = board.cost - before
        if worse > 0 and rand() >= math.exp(-min(worse / temperature, 50.0)):
            board.take(atom)
            if other >= 0:
                board.take(other)
                board.put(other, night)
            board.put(atom, was)
        elif board.cost < self._best_cost:
            self.best, self._best_cost = list(board.night), board.cost

    def _target(self, atom: int) -> int:
        """Return a night to try: that of an atom with a common network, or one nearby."""
        rand, problem = self._random.random, self._problem
        segments = problem.atoms[atom].segments
        if segments and rand() < 0.7:
            neighbours = problem.atoms_of[segments[int(rand() * len(segments))]]
            night = self._board.night[neighbours[int(rand() * len(neighbours))]]
            if night >= 0:
                return night
        near = self._board.night[atom] + int(rand() * 7) - 3
        return min(max(near, 0), self._last)

    def _partner(self, night: int) -> int:
        members = self._board.members[night]
        if not members:
            return -1
        chosen = members[int(self._random.random() * len(members))]
        return chosen if self._is_movable[chosen] else -1

    def _swap(self, atom: int, other: int, was: int, night: int) -> bool:
        """Put two atoms in each other's place; if the rules do not let them, the other is back where it was."""
        board = self._board
        board.take(other)
        if board.allows(atom, night):
            board.put(atom, night)
            if board.allows(other, was):
                board.put(other, was)
                return True
            board.take(atom)
        board.put(other, night)
        return False
