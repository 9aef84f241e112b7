"""The command ``hcx-waves demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from hcx_demo.errors import DemoError, Stopped
from hcx_demo.show import Show, ShowOptions
from hcx_demo.signals import StopSignals
from hcx_demo.stack import Stack, StackOptions, require_project
from hcx_demo.terminal import make_console, project_folder, speaker, stay
from hcx_demo.view import logins
from hcx_waves.clients.errors import ClientError
from hcx_waves.wavefile.loader import SUFFIX, load_wave
from hcx_waves.wavefile.problems import WaveFileError

_EXIT_NOT_AS_PLANNED = 1
_EXIT_UNUSABLE = 2


def demo(
    auto: Annotated[bool, typer.Option("--auto", help="Answer the gates as the demo approver; end by itself.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the Airflow UI; 0 takes a free one.")] = 0,
    sites_port: Annotated[
        int, typer.Option(min=0, max=65527, help="First of the sites' nine ports; 0 takes free ones.")
    ] = 0,
    speed: Annotated[float, typer.Option(min=0.1, help="The sites' virtual seconds per real second.")] = 20.0,
    state: Annotated[Path | None, typer.Option(help="State folder; .state/demo in the project unless set.")] = None,
    project: Annotated[Path | None, typer.Option(help="Folder with dags and plugins.")] = None,
    times: Annotated[int, typer.Option(min=1, help="How often to run the wave, each time on fresh sites.")] = 1,
) -> None:
    """Run the seed wave on simulated sites with a real Airflow, and show it.

    Ends with 0 when wave and cleanup went as planned, with 1 when not, with 2 when the demo cannot be set up.
    """
    console = make_console()
    say = speaker(console)
    root = (project or project_folder()).resolve()

    try:
        require_project(root)
        wave = load_wave(root / "dags" / "waves" / f"seed-wave{SUFFIX}")
        stack_options = StackOptions(
            project=root,
            state=state or root / ".state" / "demo",
            connections=wave.connections,
            dags=root / "dags",
            port=port,
            sites_port=sites_port,
            speed=speed,
        )
        with StopSignals(say):
            as_planned = _run(stack_options, ShowOptions(wave, auto), times, console)
    except (DemoError, ClientError, WaveFileError) as error:
        console.print(f"[bold red]demo:[/bold red] {escape(str(error))}", highlight=False, soft_wrap=True)
        raise typer.Exit(_EXIT_UNUSABLE) from None
    except Stopped as stop:
        say(f"stopped by {stop.signal_name}; nothing is left running")
        raise typer.Exit(stop.exit_code) from None
    if not as_planned:
        raise typer.Exit(_EXIT_NOT_AS_PLANNED)


def _run(stack_options: StackOptions, options: ShowOptions, times: int, console: Console) -> bool:
    say = speaker(console)
    played = succeeded = 0
    try:
        with Stack(stack_options, say) as stack:
            say(logins(stack.plan.base_url, stack.secrets.passwords, str(stack.state.root / "passwords.json")))
            show = Show(stack, options, console, say)
            show.prepare()
            for number in range(times):
                if number:
                    stack.control.reset()
                succeeded += not show.play().problems()
                played += 1
                if times > 1:
                    say(f"{succeeded} of {number + 1} runs as planned")
            if not options.automatic:
                stay(stack, say)
    except Stopped:
        # Once everything has been shown, Ctrl-C is how the demo ends.
        if played < times:
            raise
    return succeeded == times
