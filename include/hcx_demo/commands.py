"""The commands ``demo`` and ``rehearse``, which ``hcx-waves`` finds as entry points."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

import hcx_waves
from hcx_demo.errors import DemoError
from hcx_demo.rehearsal.backfill import NightRange
from hcx_demo.rehearsal.series import RehearsalSeries, SeriesOptions
from hcx_demo.stack import Stack, StackOptions, require_project
from hcx_demo.terminal import Stopped, StopSignals, speaker
from hcx_demo.texts import logins
from hcx_demo.wave.demo import DemoOptions, WaveDemo
from hcx_demo.wave.faults import FAULTS, named_faults
from hcx_waves.cli.output import ExitCode, fail, output_console
from hcx_waves.clients.errors import ClientError
from hcx_waves.wavefile.loader import SUFFIX, load_wave
from hcx_waves.wavefile.problems import WaveFileError
from hcx_waves.wavefile.wave import Wave

_SCENARIOS = {"seed-wave": "seed"}
_DEFAULT_SCENARIO = "three-tier"
_DEMO_WAVES = {"seed": "seed-wave", _DEFAULT_SCENARIO: "three-tier-1"}
_SPARE_SLOTS = 2
_CHECK_SECONDS = 1.0

PortOption = Annotated[int, typer.Option(min=0, max=65535, help="Port of the Airflow UI. 0: any free port.")]
Options = TypeVar("Options")
ProjectOption = Annotated[Path | None, typer.Option(help="Folder that contains dags and plugins.")]


def demo(
    auto: Annotated[
        bool, typer.Option("--auto", help="Approve the gates as the demo approver, and exit at the end.")
    ] = False,
    port: PortOption = 0,
    sites_port: Annotated[
        int, typer.Option(min=0, max=65527, help="First of the nine ports of the simulated sites. 0: any free ports.")
    ] = 0,
    speed: Annotated[float, typer.Option(min=0.1, help="Virtual seconds of the sites per real second.")] = 20.0,
    state: Annotated[Path | None, typer.Option(help="State folder. Default: .state/demo in the project.")] = None,
    project: ProjectOption = None,
    times: Annotated[int, typer.Option(min=1, help="Number of runs, each on fresh sites.")] = 1,
    scenario: Annotated[
        str, typer.Option(help=f"The simulated sites, and with them the wave: {' or '.join(_DEMO_WAVES)}.")
    ] = "seed",
    faults: Annotated[
        str, typer.Option(help=f"Faults that strike during the wave, with commas: {', '.join(FAULTS)}.")
    ] = "",
) -> None:
    """Run a wave on simulated sites with a real Airflow, and show its progress.

    Exits with 0 if the wave and its cleanup ended as planned, with 1 if not, with 2 if the demo cannot be set up.
    """

    def set_up(root: Path) -> tuple[StackOptions, DemoOptions]:
        if scenario not in _DEMO_WAVES:
            raise DemoError(f'there is no scenario "{scenario}"; the scenarios are: {", ".join(_DEMO_WAVES)}')
        names = named_faults(faults)
        wave = _load(root, _DEMO_WAVES[scenario])
        stack_options = StackOptions(
            project=root,
            state=state or root / ".state" / "demo",
            connections=wave.connections,
            dags=root / "dags",
            scenario=scenario,
            port=port,
            sites_port=sites_port,
            speed=speed,
        )
        return stack_options, DemoOptions(wave, auto, names)

    def run(stack: Stack, options: DemoOptions, console: Console) -> bool:
        return _run_waves(WaveDemo(stack, options, console), times, stack, speaker(console))

    _run_on_stack("demo", project, set_up, run, stay=not auto)


def rehearse(
    wave: Annotated[str, typer.Option(help="Name of the wave. Its file is dags/waves/<name>.yaml.")] = "three-tier-1",
    nights: Annotated[int, typer.Option(min=1, max=366, help="Number of consecutive nights.")] = 30,
    first: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First night. Default: such that the last is yesterday."),
    ] = None,
    faults: Annotated[
        str,
        typer.Option(help="Fault scenarios of every night, with commas; `rotate` changes them from night to night."),
    ] = "",
    active: Annotated[int, typer.Option(min=1, max=16, help="Number of rehearsals at the same time.")] = 4,
    auto: Annotated[bool, typer.Option("--auto", help="Exit at the end instead of keeping the UI up.")] = False,
    port: PortOption = 0,
    state: Annotated[Path | None, typer.Option(help="State folder. Default: .state/rehearse in the project.")] = None,
    project: ProjectOption = None,
) -> None:
    """Rehearse a wave for many nights on twins of simulated sites with a real Airflow, and show the summary.

    Exits with 0 if every rehearsal has ended and left a record, with 1 if not, with 2 if they cannot be set up.
    """

    def set_up(root: Path) -> tuple[StackOptions, SeriesOptions]:
        chosen = _load(root, wave)
        today = datetime.now(ZoneInfo(chosen.time_zone)).date()
        options = SeriesOptions(
            wave=chosen,
            nights=NightRange.of(nights, None if first is None else first.date(), today),
            faults=tuple(filter(None, (one.strip() for one in faults.split(",")))),
            active=active,
        )
        stack_options = StackOptions(
            project=root,
            state=state or root / ".state" / "rehearse",
            connections=chosen.connections,
            dags=root / "dags",
            scenario=_SCENARIOS.get(chosen.name, _DEFAULT_SCENARIO),
            port=port,
            speed=1.0,
            rehearsal=True,
            parallelism=slots_for(chosen, active),
        )
        return stack_options, options

    def run(stack: Stack, options: SeriesOptions, console: Console) -> bool:
        return RehearsalSeries(stack, options, console).play()

    _run_on_stack("rehearse", project, set_up, run, stay=not auto)


def slots_for(wave: Wave, active: int) -> int:
    """Return how many task processes a series of rehearsals needs.

    A task keeps its process while it waits for virtual time: one per segment and one for the wave, in each rehearsal.
    """
    return active * (len(wave.segments_to_cut) + 1) + _SPARE_SLOTS


def _load(root: Path, wave: str) -> Wave:
    return load_wave(root / "dags" / "waves" / f"{wave}{SUFFIX}")


def _run_waves(wave_demo: WaveDemo, times: int, stack: Stack, say: Callable[[str], None]) -> bool:
    """Run the wave as often as requested; return whether every run ended as planned."""
    wave_demo.prepare()
    succeeded = 0
    for number in range(times):
        if number:
            stack.control.reset()
        succeeded += not wave_demo.play().problems()
        if times > 1:
            say(f"{succeeded} of {number + 1} runs ended as planned")
    return succeeded == times


def _run_on_stack(
    command: str,
    project: Path | None,
    set_up: Callable[[Path], tuple[StackOptions, Options]],
    run: Callable[[Stack, Options, Console], bool],
    *,
    stay: bool,
) -> None:
    """Start a stack, run something on it, and end the command with the exit code that says how it went.

    :param set_up: returns the options of the stack and those of ``run``, given the project's folder.
    :param run: returns whether everything went as it should.
    :param stay: keep the UI up afterwards, until a signal.
    """
    console = output_console()
    say = speaker(console)
    succeeded: bool | None = None
    try:
        root = (project or _project_folder()).resolve()
        require_project(root)
        stack_options, options = set_up(root)
        with StopSignals(say), Stack(stack_options, say) as stack:
            say(logins(stack.plan.base_url, stack.secrets.passwords, str(stack.state.passwords_file)))
            succeeded = run(stack, options, console)
            if stay:
                say(f"The UI stays up at {stack.plan.base_url} until you press Ctrl-C.")
                _wait_for_signal(stack)
    except (DemoError, ClientError, WaveFileError) as error:
        fail(f"{command}: {error}")
    except Stopped as stop:
        # Once everything has been shown, Ctrl-C is the normal end.
        if succeeded is None:
            say(f"stopped by {stop.signal_name}; nothing is left running")
            raise typer.Exit(stop.exit_code) from None
    if not succeeded:
        raise typer.Exit(ExitCode.FAILED)


def _project_folder() -> Path:
    """Return the folder that the package was installed from, or the current one."""
    origin = Path(hcx_waves.__file__).resolve().parents[2]
    return origin if (origin / "dags").is_dir() else Path.cwd()


def _wait_for_signal(stack: Stack) -> None:
    """Keep everything up until :class:`Stopped`.

    :raises DemoError: when a process ends by itself.
    """
    while True:
        time.sleep(_CHECK_SECONDS)
        stack.check()
