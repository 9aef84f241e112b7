"""The command ``hcx-waves rehearse``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape

from hcx_demo.errors import DemoError, Stopped
from hcx_demo.rehearse.nights import Nights
from hcx_demo.rehearse.series import Series, SeriesOptions
from hcx_demo.signals import StopSignals
from hcx_demo.stack import Stack, StackOptions, require_project
from hcx_demo.terminal import make_console, project_folder, speaker, stay
from hcx_demo.view import logins
from hcx_waves.clients.errors import ClientError
from hcx_waves.wavefile.loader import SUFFIX, load_wave
from hcx_waves.wavefile.problems import WaveFileError
from hcx_waves.wavefile.wave import Wave

EXIT_INCOMPLETE = 1
EXIT_UNUSABLE = 2
_SITES = {"seed-wave": "seed"}
_USUAL_SITES = "three-tier"
_OWN_SLOTS = 2


def rehearse(
    wave: Annotated[str, typer.Option(help="Name of the wave; its file is dags/waves/<name>.yaml.")] = "three-tier-1",
    nights: Annotated[int, typer.Option(min=1, max=366, help="How many nights in a row.")] = 30,
    first: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First night; unless set, the last is yesterday."),
    ] = None,
    faults: Annotated[str, typer.Option(help="Fault scenarios of all nights by name; `rotate` takes turns.")] = "",
    active: Annotated[int, typer.Option(min=1, max=16, help="Nights at the same time.")] = 4,
    auto: Annotated[bool, typer.Option("--auto", help="End by itself instead of leaving the UI up.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the Airflow UI; 0 takes a free one.")] = 0,
    state: Annotated[Path | None, typer.Option(help="State folder; .state/rehearse in the project unless set.")] = None,
    project: Annotated[Path | None, typer.Option(help="Folder with dags and plugins.")] = None,
) -> None:
    """Rehearse a wave for many nights on twins of simulated sites with a real Airflow, and tell what to expect.

    Ends with 0 when every night has ended and left its record, with 1 when not, with 2 when it cannot be set up.
    """
    console = make_console()
    say = speaker(console)
    root = (project or project_folder()).resolve()
    try:
        require_project(root)
        chosen = load_wave(root / "dags" / "waves" / f"{wave}{SUFFIX}")
        today = datetime.now(ZoneInfo(chosen.time_zone)).date()
        options = SeriesOptions(
            wave=chosen,
            nights=Nights.of(nights, None if first is None else first.date(), today),
            faults=tuple(filter(None, (one.strip() for one in faults.split(",")))),
            active=active,
        )
        stack_options = StackOptions(
            project=root,
            state=state or root / ".state" / "rehearse",
            connections=chosen.connections,
            dags=root / "dags",
            scenario=_SITES.get(chosen.name, _USUAL_SITES),
            port=port,
            speed=1.0,
            rehearsal=True,
            parallelism=slots_for(chosen, active),
        )
        with StopSignals(say):
            complete = _run(stack_options, options, console, auto=auto)
    except (DemoError, ClientError, WaveFileError) as error:
        console.print(f"[bold red]rehearse:[/bold red] {escape(str(error))}", highlight=False, soft_wrap=True)
        raise typer.Exit(EXIT_UNUSABLE) from None
    except Stopped as stop:
        say(f"stopped by {stop.signal_name}; nothing is left running")
        raise typer.Exit(stop.exit_code) from None
    if not complete:
        raise typer.Exit(EXIT_INCOMPLETE)


def slots_for(wave: Wave, active: int) -> int:
    """Return how many task processes it takes.

    A task that waits for the twin's time keeps its process: in each night one per segment, and one for the wave itself.
    """
    return active * (len(wave.segments_to_cut) + 1) + _OWN_SLOTS


def _run(stack_options: StackOptions, options: SeriesOptions, console: Console, *, auto: bool) -> bool:
    say = speaker(console)
    complete: bool | None = None
    try:
        with Stack(stack_options, say) as stack:
            say(logins(stack.plan.base_url, stack.secrets.passwords, str(stack.state.root / "passwords.json")))
            complete = Series(stack, options, console).play()
            if not auto:
                stay(stack, say)
    except Stopped:
        # Once everything has been shown, Ctrl-C is how it ends.
        if complete is None:
            raise
    return bool(complete)
