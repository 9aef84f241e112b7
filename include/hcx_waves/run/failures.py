"""What went wrong in a run: the errors that its tasks have left, and how a report tells of them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping

from pydantic import AwareDatetime, ConfigDict, JsonValue

from hcx_waves.model.base import DomainModel
from hcx_waves.model.formatting import instant

_STORED = ConfigDict(extra="ignore")
WIDTH = 90
"""Characters of a line in a log that is read in a browser."""
_EARLY = 40
"""Within so many characters a sentence names whom it is about."""
_SENTENCE_END = re.compile(r"(?<=\.) (?=[A-Z])")
_FACTS = (("HTTP", "status"), ("code", "vendor_code"), ("request", "request_id"))


def _bracketed(facts: list[str]) -> str:
    return f" [{', '.join(facts)}]" if facts else ""


class StepFailure(DomainModel):
    """Any task that has failed: the error of its last try, as it was raised."""

    model_config = _STORED

    task_id: str
    at: AwareDatetime
    """By the run's clock."""
    error: dict[str, JsonValue]
    """As ``ClientError.to_dict`` writes it; of other errors at least ``type`` and ``message``."""
    options: tuple[str, ...] = ()
    """What a person could do then, a line each."""

    @property
    def kind(self) -> str:
        """The error's class."""
        return str(self.error.get("type") or "")

    @property
    def message(self) -> str:
        """What went wrong, in our words."""
        return str(self.error.get("message") or "")

    @property
    def sentence(self) -> str:
        """What went wrong, with the product's words, as a note shows it."""
        said = (self.message or self.kind).splitlines()[0]
        words = str(self.error.get("vendor_message") or "")
        return f"{said} ({words})" if words and words not in said else said

    @property
    def problems(self) -> tuple[Mapping[str, JsonValue], ...]:
        """What keeps a wave from being planned: subject, message and suggestion of each."""
        found = self.error.get("problems")
        return tuple(one for one in found if isinstance(one, Mapping)) if isinstance(found, list) else ()

    @property
    def step(self) -> str:
        """The task, without its group."""
        return self.task_id.rpartition(".")[2]


class Failure(DomainModel):
    """One thing that went wrong, as it was observed: by whom, when, in whose words."""

    model_config = _STORED

    subject: str = ""
    """The VM or segment; empty for the run as a whole."""
    step: str = ""
    """The task, or what HCX was doing."""
    what: str
    """What happened, in our words."""
    words: str = ""
    """The product's own words."""
    code: str = ""
    """The product's own code or state."""
    job_id: str = ""
    """HCX's id of the job or migration; of other products the id of the request."""
    at: AwareDatetime | None = None
    by_hcx_clock: bool = False
    source: str = ""
    """Where this is known from."""
    next_step: str = ""
    options: tuple[str, ...] = ()
    guide_id: str = ""
    """The entry of the guide that explains it; empty if there is none."""

    @property
    def short(self) -> str:
        """Who, what and in whose words, in one sentence."""
        said = f" ({self.words})" if self.words and self.words not in self.what else ""
        named = not self.subject or self.subject in self.what[:_EARLY]
        return f"{self.what}{said}" if named else f"{self.subject}: {self.what}{said}"

    def __str__(self) -> str:
        facts = [f"{name} {value}" for name, value in (("code", self.code), ("job", self.job_id)) if value]
        facts += [f"at {instant(self.at, seconds=True)}"] if self.at is not None else []
        return f"{self.short}{_bracketed(facts)}"


def lines_of(failure: StepFailure) -> list[str]:
    """Return an error as a log shows it: what is wrong, in whose words, what to do; one option a line.

    No line is longer than :data:`WIDTH`, so that none of it is off the screen.
    """
    error = failure.error
    if failure.problems:
        return [line for problem in failure.problems for line in _of_problem(problem)]
    lines = _wrapped(failure.message or failure.kind)
    words = str(error.get("vendor_message") or "")
    if words and words not in failure.message:
        lines += _wrapped(words, f"{str(error.get('system') or 'product').upper()} says: ")
    facts = [f"{name} {error[key]}" for name, key in _FACTS if error.get(key)]
    lines += _wrapped(", ".join(facts))
    lines += _wrapped(str(error.get("hint") or "")) if not failure.options else []
    number = 0
    for option in failure.options:
        continued = option.startswith(" ")
        number += not continued
        lines += _wrapped(option.strip(), "   " if continued else f"{number}. ")
    return lines


def _of_problem(problem: Mapping[str, JsonValue]) -> Iterator[str]:
    yield from _wrapped(f"{problem.get('subject')}: {problem.get('message')}")
    for sentence in _SENTENCE_END.split(str(problem.get("suggestion") or "")):
        yield from _wrapped(sentence, "- ")


def _wrapped(text: str, begin: str = "") -> list[str]:
    found: list[str] = []
    for line in text.splitlines():
        first = begin if not found else ""
        found += textwrap.wrap(
            line, WIDTH, initial_indent=first, subsequent_indent="   " if begin else "", break_on_hyphens=False
        ) or [""]
    return found
