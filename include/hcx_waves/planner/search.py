"""Find a plan: the greedy one, repaired where it does not keep the rules, then improved."""

from __future__ import annotations

from collections.abc import Callable

from hcx_waves.planner.anneal import improve
from hcx_waves.planner.board import Board
from hcx_waves.planner.figures import UNPLACED, violations
from hcx_waves.planner.greedy import greedy
from hcx_waves.planner.problem import PlanningProblem

_LONGEST_REPAIR, _REPAIR_PER_ATOM = 0.3, 0.002
_MOST_REPAIRS = 3


def first_plan(problem: PlanningProblem) -> Board:
    """Return the greedy plan; if it breaks slots or days, or leaves atoms out, what repairing makes of it."""
    board = greedy(problem)
    for seed in range(_MOST_REPAIRS):
        board = _with_left_over(problem, board)
        if not violations(board) and UNPLACED not in board.night:
            break
        effort = min(_LONGEST_REPAIR, _REPAIR_PER_ATOM * len(problem.atoms))
        board = improve(problem, board, seconds=effort, seed=seed)
    return _with_left_over(problem, board)


def find_plan(
    problem: PlanningProblem, *, seconds: float, seed: int, progress: Callable[[float], None] = lambda _: None
) -> Board:
    """Return the best plan that is found with an effort; see :func:`~hcx_waves.planner.anneal.improve`."""
    return improve(problem, first_plan(problem), seconds=seconds, seed=seed, progress=progress)


def _with_left_over(problem: PlanningProblem, board: Board) -> Board:
    """Put atoms that are on no night where they cost least, whatever slots and days say; repairing sees to those."""
    for atom, night in enumerate(list(board.night)):
        if night != UNPLACED:
            continue
        best: tuple[int, int] | None = None
        for there in range(len(problem.nights)):
            if board.allows(atom, there):
                board.put(atom, there)
                best = min(best or (board.cost, there), (board.cost, there))
                board.take(atom)
        if best is not None:
            board.put(atom, best[1])
    return board
