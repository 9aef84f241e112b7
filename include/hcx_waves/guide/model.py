"""One entry of the guide."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """What an id means, what to do about it, and by which button or command.

    :param meaning: what is the case.
    :param what_to_do: what a person does about it.
    :param button: by which task, DAG, gate, page or command.
    """

    meaning: str
    what_to_do: str
    button: str


@dataclass(frozen=True)
class Family:
    """Entries of one kind: a page of the guide.

    :param name: of the page's file.
    :param title: of the page.
    :param introduction: Markdown, before the entries.
    :param entries: by id.
    """

    name: str
    title: str
    introduction: str
    entries: dict[str, Entry]
