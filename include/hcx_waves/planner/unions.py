"""Groups that grow by being joined, and remember which rule joined what."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import pairwise


class Unions:
    """A union-find over numbered members whose joints are kept, so that a chain of rules can be shown."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))
        self._members = [[one] for one in range(count)]
        self._joints: dict[int, list[tuple[int, str]]] = defaultdict(list)
        self._reasons: dict[int, list[str]] = defaultdict(list)

    def root(self, one: int) -> int:
        """Return the member that stands for a group."""
        while self._parent[one] != one:
            self._parent[one] = self._parent[self._parent[one]]
            one = self._parent[one]
        return one

    def join(self, members: Sequence[int], reason: str) -> None:
        """Put members into one group."""
        for one, other in pairwise(members):
            self._joints[one].append((other, reason))
            self._joints[other].append((one, reason))
            first, second = sorted((self.root(one), self.root(other)))
            if first != second:
                self._parent[second] = first
                self._members[first] += self._members[second]
                self._members[second] = []
                self._reasons[first] += self._reasons.pop(second, [])
            if reason not in self._reasons[first]:
                self._reasons[first].append(reason)

    def join_up_to(
        self,
        members: Sequence[int],
        reason: str,
        most: int,
        apart: Collection[tuple[int, int]],
        fits: Callable[[Iterable[int]], bool],
    ) -> int:
        """Join members as far as the groups stay below a size, keep apart what must be, and fit. Return the parts."""
        if len({self.root(one) for one in members}) < 2:
            return 1
        sizes = {root: self._members[root] for root in {self.root(one) for one in members}}
        enemies = defaultdict(set)
        for one, other in apart:
            enemies[self.root(one)].add(self.root(other))
            enemies[self.root(other)].add(self.root(one))
        parts: list[list[int]] = []
        for root in sorted(sizes, key=lambda one: (-len(sizes[one]), one)):
            for part in parts:
                together = [vm for one in (*part, root) for vm in sizes[one]]
                if len(together) <= most and not enemies[root] & set(part) and fits(together):
                    part.append(root)
                    break
            else:
                parts.append([root])
        for part in parts:
            self.join(part, reason)
        return len(parts)

    def chain(self, one: int, other: int) -> list[str]:
        """Return the rules on the shortest way from one member to another of its group."""
        before: dict[int, tuple[int, str]] = {one: (one, "")}
        waiting = deque([one])
        while waiting and other not in before:
            here = waiting.popleft()
            for there, reason in self._joints[here]:
                if there not in before:
                    before[there] = (here, reason)
                    waiting.append(there)
        found = []
        while other != one and other in before:
            other, reason = before[other]
            found.append(reason)
        return found

    def groups(self) -> list[tuple[tuple[int, ...], str]]:
        """Return the groups with what joined them, in the order of their first members."""
        return [
            (tuple(sorted(members)), ", ".join(self._reasons.get(root, ())))
            for root, members in enumerate(self._members)
            if members
        ]
