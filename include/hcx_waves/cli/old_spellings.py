"""Options as earlier releases had them: scripts that use them go on working, with a hint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

OLD_OPTIONS = {
    "forecast": {"--picture": "--out"},
    "rehearsals": {"--picture": "--out"},
    "probe": {"--record": "--out"},
}
"""By command: old names of options with a value, and what they are called now."""
JSON_TOOK_A_FILE = frozenset(("forecast", "rehearsals"))
"""Commands whose ``--json`` took the file to write, or ``-``."""


@dataclass(frozen=True)
class Modern:
    """Arguments as they are written now, and a hint for each that was written in the old way."""

    arguments: list[str]
    hints: tuple[str, ...]


def modern(command: str, arguments: Sequence[str]) -> Modern:
    """Return arguments of a command in the present spelling."""
    renamed = OLD_OPTIONS.get(command, {})
    kept: list[str] = []
    hints: list[str] = []
    ahead = list(arguments)
    while ahead:
        option, equals, value = ahead.pop(0).partition("=")
        if option == "--":
            return Modern([*kept, option, *ahead], tuple(hints))
        if option in renamed:
            hints.append(f"{option} is called {renamed[option]} now; it still works")
            option = renamed[option]
        elif option == "--json" and command in JSON_TOOK_A_FILE:
            named = value if equals else next((one for one in ahead[:1] if _is_json_file(one)), "")
            if named and not equals:
                ahead.pop(0)
            if named == "-":
                hints.append("--json prints JSON without the -; it still works")
            elif named:
                hints.append(f"--json FILE is written --out {named} now; it still works")
                kept += ["--out", named]
                continue
            equals = value = ""
        kept.append(f"{option}{equals}{value}")
    return Modern(kept, tuple(hints))


def _is_json_file(argument: str) -> bool:
    return argument == "-" or argument.endswith(".json")
