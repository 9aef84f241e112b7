"""The application: its commands by name, each loaded when it is needed."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from hcx_waves.cli.extras import MissingPackageError, missing_package
from hcx_waves.cli.old_spellings import modern
from hcx_waves.cli.output import ExitCode, fail, note, reason

ENTRY_POINT_GROUP = "hcx_waves.commands"
_GROUP = "hcx_waves.cli"
_OWN = {
    "validate": "waves:validate",
    "schema": "waves:schema",
    "doctor": "doctor:doctor",
    "probe": "probe:probe",
    "rescue": "rescue:rescue",
    "snapshot": "snapshot:snapshot",
    "forecast": "forecast:forecast",
    "calibrate": "calibration:calibrate",
    "rehearsals": "rehearsals:rehearsals",
    "twin-connections": "twins:twin_connections",
    "bundle": "bundle:bundle",
    "import": "importing:import_inventory",
    "plan": "planning:plan",
}


class CommandGroup(TyperGroup):
    """Commands that are imported when they are called or listed, so that none waits for the libraries of another.

    A command whose package is not installed is listed all the same, and says what to install when it is called.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands: dict[str, Any] = entry_points()

    def get_command(self, _ctx: Any, cmd_name: str) -> Any:
        """Return a command, or None if there is none of that name."""
        if cmd_name not in self.commands:
            return None
        try:
            return as_command(cmd_name, self.commands[cmd_name].load())
        except ModuleNotFoundError as error:
            return _unavailable(cmd_name, missing_package(error))

    def invoke(self, ctx: Any) -> Any:
        """Run a command; a package that turns out to be missing ends it with one sentence.

        :raises ModuleNotFoundError: for a module that no extra brings.
        :raises OSError: for what is not about a file.
        """
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            fail(str(missing_package(error)), ExitCode.UNUSABLE)
        except BrokenPipeError:
            raise
        except OSError as error:
            # What a user can mend, such as a folder in the place of a file, needs no traceback.
            if error.filename is None:
                raise
            fail(f"{error.filename}: {reason(error)}", ExitCode.UNUSABLE)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the command that is called and its arguments, in the present spelling."""
        name, command, rest = super().resolve_command(ctx, args)
        known = modern(name or "", rest)
        for hint in known.hints:
            note(hint)
        return name, command, known.arguments


def entry_points() -> dict[str, metadata.EntryPoint]:
    """Return where each command is. Another package cannot take the name of one of the core's own."""
    added = metadata.entry_points(group=ENTRY_POINT_GROUP)
    own = (metadata.EntryPoint(name, f"{_GROUP}.{place}", ENTRY_POINT_GROUP) for name, place in _OWN.items())
    return {**{entry.name: entry for entry in own}, **{entry.name: entry for entry in added if entry.name not in _OWN}}


def as_command(name: str, function: Callable[..., None] | typer.Typer) -> Any:
    """Return a command that calls a function, with the options that its parameters describe.

    A command with commands of its own is a Typer application already.
    """
    if isinstance(function, typer.Typer):
        return get_command(function)
    app = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False)
    app.command(name)(function)
    return get_command(app)


def _unavailable(name: str, error: MissingPackageError) -> Any:
    """Return a command that takes any arguments and fails with the error."""

    def refuse() -> None:
        fail(str(error), ExitCode.UNUSABLE)

    return TyperCommand(
        name,
        callback=refuse,
        help=f"Not available: {error}.",
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    )


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"hcx-waves {metadata.version('hcx-waves')}")
        raise typer.Exit


main = typer.Typer(
    name="hcx-waves",
    cls=CommandGroup,
    help="Moves virtual machines through VMware HCX in waves.",
    no_args_is_help=True,
    add_completion=False,
    # A traceback with local variables would show passwords.
    pretty_exceptions_show_locals=False,
)


@main.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Take the options that belong to every command."""
