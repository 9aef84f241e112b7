"""An assignment of atoms to nights with its cost, kept up to date while atoms are moved."""

from __future__ import annotations

from hcx_waves.planner.problem import Load, PlanningProblem

DAY = 1_000_000
"""What a day that a network of weight 1 is stretched costs; everything softer is far below."""
OVER_SLOTS = 10_000 * DAY
OVER_DAYS = 100 * DAY
_CUT = 1_000
_UNPLACED = -1


class Board:
    """Atoms on nights; moving one costs as much work as it has networks."""

    def __init__(self, problem: PlanningProblem, nights: list[int]) -> None:
        """Put atoms on nights.

        :param nights: the night of each atom; -1 leaves it out.
        """
        self.problem = problem
        self.night = [_UNPLACED] * len(problem.atoms)
        count, segments = len(problem.nights), len(problem.segments)
        self.loads = [Load() for _ in range(count)]
        self.counts = [[0] * count for _ in range(segments)]
        self.spans: list[tuple[int, int] | None] = [None] * segments
        self.open = [0] * count
        self.members: list[list[int]] = [[] for _ in range(count)]
        self._seat = [0] * len(problem.atoms)
        self.cost = 0
        for atom, night in enumerate(nights):
            if night != _UNPLACED:
                self.put(atom, night)

    def put(self, atom: int, night: int) -> None:
        """Put an atom on a night."""
        one = self.problem.atoms[atom]
        self.night[atom] = night
        self._seat[atom] = len(self.members[night])
        self.members[night].append(atom)
        self.loads[night].add(one)
        for segment in one.segments:
            counts = self.counts[segment]
            counts[night] += 1
            span = self.spans[segment]
            if span is None:
                self._set(segment, (night, night))
            elif night < span[0]:
                self._set(segment, (night, span[1]))
            elif night > span[1]:
                self._set(segment, (span[0], night))
        self.cost += self.soft(atom, night)

    def take(self, atom: int) -> int:
        """Take an atom from its night, and return which it was."""
        one, night = self.problem.atoms[atom], self.night[atom]
        self.cost -= self.soft(atom, night)
        self.night[atom] = _UNPLACED
        # The last one takes its seat: a list, as a set's order is nobody's promise.
        moved = self.members[night].pop()
        if moved != atom:
            self.members[night][self._seat[atom]] = moved
            self._seat[moved] = self._seat[atom]
        self.loads[night].add(one, -1)
        for segment in one.segments:
            counts = self.counts[segment]
            counts[night] -= 1
            span = self.spans[segment]
            if counts[night] or span is None or night not in span:
                continue
            first, last = span
            if first == last:
                self._set(segment, None)
                continue
            while not counts[first]:
                first += 1
            while not counts[last]:
                last -= 1
            self._set(segment, (first, last))
        return night

    def allows(self, atom: int, night: int) -> bool:
        """Whether the hard rules about single nights let an atom, which is on none, be on that one."""
        problem, one = self.problem, self.problem.atoms[atom]
        if not one.earliest <= night <= one.latest or not self.loads[night].takes(problem, night, one):
            return False
        where = self.night
        return (
            all(where[other] != night for other in problem.apart[atom])
            and all(where[other] < night for other in problem.before[atom] if where[other] != _UNPLACED)
            and all(where[other] > night for other in problem.behind[atom] if where[other] != _UNPLACED)
        )

    def soft(self, atom: int, night: int) -> int:
        """Return what dependencies cost that are cut by an atom on a night, and its stage and criticality."""
        one, where = self.problem.atoms[atom], self.night
        cut = sum(weight * _CUT for other, weight in self.problem.edges[atom] if where[other] not in (_UNPLACED, night))
        late = (2 - one.stage) * night * one.size
        return cut + late + (one.size * _CUT if one.critical and night < max(self.problem.pilot_waves, 1) else 0)

    def span(self, segment: int) -> tuple[int, int] | None:
        """Return the first and the last night on which a network is extended; None if it never is."""
        return self._whole(segment, self.spans[segment])

    def _whole(self, segment: int, span: tuple[int, int] | None) -> tuple[int, int] | None:
        if span is None:
            return None
        first = 0 if segment in self.problem.pinned_open else span[0]
        return first, len(self.open) - 1 if segment in self.problem.held else span[1]

    def stretched(self, segment: int) -> int:
        """Return the days that a network is extended, both ends included."""
        span = self.span(segment)
        return 0 if span is None else self.problem.days[span[1]] - self.problem.days[span[0]] + 1

    def _set(self, segment: int, span: tuple[int, int] | None) -> None:
        """Change a network's span, and what follows from it: slots in use, cost."""
        before, after = self._whole(segment, self.spans[segment]), self._whole(segment, span)
        self.spans[segment] = span
        if before == after:
            return
        problem = self.problem
        for ends, sign in ((before, -1), (after, 1)):
            if ends is None:
                continue
            days = problem.days[ends[1]] - problem.days[ends[0]] + 1
            cost = days * problem.weights[segment] * DAY
            if days > problem.max_days and segment not in problem.held:
                cost += (days - problem.max_days) * OVER_DAYS
            self.cost += sign * cost
        if before is None or after is None or before[0] > after[1] or after[0] > before[1]:
            self._open(before, -1)
            self._open(after, 1)
        else:
            self._shift(before[0], after[0], -1)
            self._shift(before[1] + 1, after[1] + 1, 1)

    def _open(self, span: tuple[int, int] | None, sign: int) -> None:
        if span is not None:
            self._shift(span[0], span[1] + 1, sign)

    def _shift(self, before: int, after: int, sign: int) -> None:
        """Count the nights between two ends in (with sign 1 if the end moved on), or out."""
        step, begin, end = (sign, before, after) if after > before else (-sign, after, before)
        slots = self.problem.slots
        for night in range(begin, end):
            was = self.open[night]
            self.open[night] = was + step
            if was + step > slots or was > slots:
                self.cost += (max(0, was + step - slots) - max(0, was - slots)) * OVER_SLOTS
