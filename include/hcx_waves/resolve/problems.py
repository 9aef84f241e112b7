"""Why a wave cannot be planned: every reason at once, in a form that survives a process boundary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hcx_waves.model.base import DomainModel


class PlanProblem(DomainModel):
    """One thing of a wave that the inventory does not bear out."""

    subject: str
    """The VM, segment, network or site that it is about."""
    message: str
    """What is wrong."""
    suggestion: str = ""
    """What to do about it."""

    def __str__(self) -> str:
        """Write it in one line."""
        return f"{self.subject}: {self.message}" + (f" ({self.suggestion})" if self.suggestion else "")


class PlanError(ValueError):
    """A wave that cannot be planned; the message lists every problem, one a line.

    :param problems: at least one, in the order of the wave file.
    """

    def __init__(self, problems: Iterable[PlanProblem]) -> None:
        self.problems = tuple(dict.fromkeys(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON primitives."""
        return {"problems": [problem.model_dump(mode="json") for problem in self.problems]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PlanError:
        """Restore an error written by ``to_dict``.

        :raises pydantic.ValidationError: if the data is no such error.
        """
        return cls(PlanProblem.model_validate(one) for one in data["problems"])

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by the problems, not by the message."""
        return (type(self), (self.problems,))


class Problems:
    """Collects problems while a plan is made."""

    def __init__(self) -> None:
        self.found: list[PlanProblem] = []

    def add(self, subject: str, message: str, suggestion: str = "") -> None:
        """Note one problem."""
        self.found.append(PlanProblem(subject=subject, message=message, suggestion=suggestion))

    def refuse(self) -> None:
        """Raise what was found.

        :raises PlanError: if there is any problem.
        """
        if self.found:
            raise PlanError(self.found)
