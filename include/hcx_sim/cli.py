"""The console script ``hcx-sim``."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from pathlib import Path
from typing import Annotated, TextIO

import typer
import yaml

from hcx_sim.coverage_report import coverage_markdown, coverage_path
from hcx_sim.endpoints import withdraw_endpoints, write_endpoints
from hcx_sim.engine.clock import ClockMode
from hcx_sim.scenario import ScenarioError, load_scenario, shipped_scenarios
from hcx_sim.scenario.generate import generate as generate_scenario
from hcx_sim.server import PortTakenError, ServerOptions, SimServer, keep_secrets, load_secrets
from hcx_sim.world.credentials import secret_credentials
from hcx_sim.worlds import MAX_WORLDS, WorldError, WorldLimits, WorldOptions, WorldRoleError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

_FAILED, _UNUSABLE = 1, 2
"""Exit codes: something is wrong that was looked for; an option, an input or an output cannot be used."""
DEFAULT_ENDPOINTS_FILE = "hcx-sim-endpoints.json"
_TWIN_IDLE_SECONDS = 6 * 3600.0  # longer than a rehearsal may take, short enough to clear up overnight


@app.callback()
def describe() -> None:
    """A simulated pair of sites: HCX, NSX, VMware Cloud and vCenter."""


@app.command()
def serve(
    scenario: Annotated[str, typer.Option(help="Name of a shipped scenario, or a YAML or JSON file.")] = "seed",
    speed: Annotated[float, typer.Option(help="Virtual seconds per real second.")] = 1.0,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    public_host: Annotated[str | None, typer.Option(help="Host name that clients use, if another.")] = None,
    port_base: Annotated[int, typer.Option(min=0, max=65527, help="First of nine ports; 0 takes any free.")] = 8440,
    endpoints_file: Annotated[
        str,
        typer.Option("--out", "--endpoints-file", help="File to write addresses and log-ins to; - prints them."),
    ] = (DEFAULT_ENDPOINTS_FILE),
    no_tls: Annotated[bool, typer.Option("--no-tls", help="Serve plain HTTP.")] = False,
    state_dir: Annotated[Path | None, typer.Option(help="Keeps CA and log-ins over restarts.")] = None,
    seed: Annotated[int | None, typer.Option(help="Overrides the scenario's seed.")] = None,
    role: Annotated[str | None, typer.Option(help="What the world plays: site (default) or twin.")] = None,
    clock: Annotated[ClockMode | None, typer.Option(help="How virtual time moves; default scaled.")] = None,
    twins_only: Annotated[
        bool, typer.Option("--twins-only", help="No world plays a site: for rehearsals beside real sites.")
    ] = False,
    max_worlds: Annotated[int, typer.Option(min=1, help="Worlds held at a time, the default one included.")] = (
        MAX_WORLDS
    ),
    idle_seconds: Annotated[
        float | None, typer.Option(min=1, help="Real time after which a world that nobody calls ends, unless it says.")
    ] = None,
) -> None:
    """Serve a site pair until SIGTERM or SIGINT; says "ready" once every port answers.

    Exits with 0 when it was stopped, with 2 if it cannot be started.
    """
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    try:
        world = WorldOptions(
            scenario=scenario,
            role=role or ("twin" if twins_only else "site"),
            seed=seed,
            mode=clock or (ClockMode.PAUSED if twins_only else ClockMode.SCALED),
            speed=speed,
        )
        if twins_only and idle_seconds is None:
            idle_seconds = _TWIN_IDLE_SECONDS
        options = ServerOptions(
            world=world,
            host=host,
            public_host=public_host,
            port_base=port_base,
            tls=not no_tls,
            state_dir=state_dir,
            limits=WorldLimits(max_worlds, idle_seconds, twins_only),
        )
        asyncio.run(_serve(_with_secrets(options), endpoints_file))
    except (PortTakenError, ScenarioError, WorldError, WorldRoleError, OSError) as error:
        _fail(str(error))


def _with_secrets(options: ServerOptions) -> ServerOptions:
    """Give the default world credentials that nobody can foresee, the kept ones if there are any."""
    kept = load_secrets(options.state_dir) if options.state_dir else None
    return options.with_secrets(*kept) if kept else options.with_secrets(secret_credentials(), None)


async def _serve(options: ServerOptions, endpoints_file: str) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    server = SimServer(options)
    await server.open()
    document = server.endpoints()
    try:
        if options.state_dir is not None and options.world.credentials is not None:
            keep_secrets(options.state_dir, options.world.credentials, server.addresses.control_token)
        write_endpoints(document, endpoints_file)
        # Printed endpoints may be piped into a JSON reader: the rest goes elsewhere then.
        out = sys.stderr if endpoints_file == "-" else sys.stdout
        where = "" if endpoints_file == "-" else f"; endpoints in {endpoints_file}"
        _say(f"hcx-sim: ready{where}; control API at {document['control']['url']}", out)
        await stopping.wait()
    finally:
        await server.close()
        withdraw_endpoints(document, endpoints_file)
    _say("hcx-sim: stopped", out)


@app.command()
def generate(
    vms: Annotated[int, typer.Option(min=1, help="Number of VMs.")],
    segments: Annotated[int, typer.Option(min=1, help="Number of stretched segments.")] = 1,
    meshes: Annotated[int, typer.Option(min=1, help="Number of service meshes.")] = 1,
    seed: Annotated[int, typer.Option(help="Same seed, same scenario.")] = 1,
    output: Annotated[str, typer.Option("--out", "--output", help="File to write; - prints.")] = "-",
) -> None:
    """Generate a scenario of any size.

    Exits with 0 if it was written, with 2 if it cannot be made or written.
    """
    try:
        scenario = generate_scenario(vms, segments, meshes, seed)
    except ValueError as error:
        _fail(str(error))
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text = yaml.dump(scenario.model_dump(mode="json", exclude_defaults=True), Dumper=dumper, sort_keys=False)
    if output == "-":
        sys.stdout.write(text)
    else:
        try:
            Path(output).write_text(text, encoding="utf-8")
        except OSError as error:
            _fail(str(error))


@app.command()
def scenarios() -> None:
    """List the shipped scenarios.

    Exits with 0.
    """
    for name in shipped_scenarios():
        scenario = load_scenario(name)
        _say(f"{name:<12} {len(scenario.vms):>4} VMs  {scenario.description}")


@app.command()
def coverage(
    check: Annotated[bool, typer.Option("--check", help="Only say whether the file is up to date.")] = False,
) -> None:
    """Write COVERAGE.md, which lists what is simulated and how sure that is.

    Exits with 0 if it was written or is up to date, with 1 if --check finds that it is not.
    """
    text = coverage_markdown()
    path = coverage_path()
    if not check:
        path.write_text(text, encoding="utf-8")
        _say(f"wrote {path}")
    elif not path.is_file() or path.read_text(encoding="utf-8") != text:
        _fail(f"{path} is out of date; run: hcx-sim coverage", _FAILED)


def _say(text: str, out: TextIO | None = None) -> None:
    stream = out or sys.stdout
    stream.write(text + "\n")
    stream.flush()


def _fail(message: str, code: int = _UNUSABLE) -> None:
    sys.stderr.write(f"hcx-sim: {message}\n")
    raise typer.Exit(code)


def main() -> None:
    """Run the console script."""
    app()
