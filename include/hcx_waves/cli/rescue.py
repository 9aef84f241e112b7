"""The command ``rescue``: looks at a wave and takes the ways back, without Airflow and its database."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from hcx_waves.cli.inputs import Inputs
from hcx_waves.cli.output import ExitCode, fail, reason
from hcx_waves.cli.rescue_call import RescueCall, RescueUnusableError
from hcx_waves.clients.bundle import ClientOptions, EndpointsError, SiteClients, open_sites
from hcx_waves.clients.errors import ClientError
from hcx_waves.cutover.commands import CommandRunner
from hcx_waves.cutover.waiting import Patience
from hcx_waves.doctor.document import DocumentError, Endpoints, load_endpoints
from hcx_waves.rescue.audit import Audit, audit_path
from hcx_waves.rescue.base import Choices, Wanted
from hcx_waves.rescue.menu import MENU, RescueAction, Subjects
from hcx_waves.rescue.plans import PlanFileError
from hcx_waves.rescue.records import Records, find_wave, read_records
from hcx_waves.rescue.rescuer import Rescuer
from hcx_waves.rescue.subject import NoSubjectError, plan_of_now
from hcx_waves.wavefile.loader import SUFFIX, load_wave
from hcx_waves.wavefile.problems import WaveFileError
from hcx_waves.wavefile.wave import Wave

_Target = Annotated[
    str, typer.Argument(help="Wave file; or the name of a wave, or the id of a run of it.", metavar="WAVE|RUN")
]
_Action = Annotated[RescueAction, typer.Argument(help="What to do.")]
_EndpointsFile = Annotated[Path, typer.Option(help="Endpoints document (JSON) with addresses and accounts.")]
_Segments = Annotated[list[str] | None, typer.Option(help="Only this segment; may be repeated.")]
_Machines = Annotated[list[str] | None, typer.Option(help="With cancel: only this VM; may be repeated.")]
_Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]
_DecidedBy = Annotated[
    str, typer.Option(help="With reconnect-source: who decided to go back although an unextend may have been asked.")
]
_WhileExtended = Annotated[
    bool, typer.Option("--while-extended", help="With connect-destination: although the extension is still listed.")
]
_Force = Annotated[bool, typer.Option("--force", help="With cancel: clear what cannot be cancelled gracefully.")]
_Run = Annotated[str, typer.Option(help="Id of the run; else the one that was active last.")]
_PlanFile = Annotated[Path | None, typer.Option(help="Plan file; else the run's, in the state folder.")]
_State = Annotated[Path | None, typer.Option(envvar="HCX_WAVES_STATE_FOLDER", help="State folder of the workers.")]
_Reports = Annotated[
    Path | None, typer.Option(envvar="HCX_WAVES_REPORTS_FOLDER", help="Folder of reports, for the audit.")
]
_Waves = Annotated[Path | None, typer.Option(help="Folder of wave files, for a name or a run's id.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON; an action needs --yes as well.")]


def rescue(
    target: _Target,
    action: _Action = RescueAction.LOOK,
    endpoints: _EndpointsFile = Path("endpoints.json"),
    segment: _Segments = None,
    vm: _Machines = None,
    yes: _Yes = False,
    decided_by: _DecidedBy = "",
    while_extended: _WhileExtended = False,
    force: _Force = False,
    run: _Run = "",
    plan: _PlanFile = None,
    state: _State = None,
    reports: _Reports = None,
    waves: _Waves = None,
    as_json: _Json = False,
) -> None:
    """Look at a wave, and take the ways back, without Airflow and its database.

    look shows both gateways of each segment, its extension and unextend, each VM and its migration, and what can be
    pressed. The other actions show what they found and will do, ask, act by the guarded procedures, and read back.

    Exits with 0 if each network has exactly one gateway and everything asked was done, with 1 if not or if it was
    refused, with 2 if an input cannot be used.
    """
    if as_json and action is not RescueAction.LOOK and not yes:
        fail("--json cannot ask: give --yes as well, or leave --json out")
    home = Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser()
    folders = _Folders(state or home / "state", reports or home / "reports", waves or home / "dags" / "waves")
    wave, document, records = _inputs(target, run, plan, endpoints, folders)
    is_of_vms = action in MENU and MENU[action].subjects is Subjects.VMS
    names = tuple((vm if is_of_vms else segment) or ())
    choices = Choices(decided_by=decided_by.strip(), while_extended=while_extended, force=force)
    place = audit_path(folders.reports, wave.name, records.run_id)
    audit = Audit(place, wave.name, records.run_id, action.value, _now, choices.decided_by, document.secrets())
    wanted = Wanted(action=action, choices=choices, names=names)
    # Where no run has a state folder, there is nobody to take turns with.
    turns = folders.state if folders.state.is_dir() else None
    if not _carried_out(wave, document, records, audit, (wanted, turns), as_json=as_json, yes=yes):
        raise typer.Exit(ExitCode.FAILED)


def _carried_out(
    wave: Wave,
    document: Endpoints,
    records: Records,
    audit: Audit,
    wanted: tuple[Wanted, Path | None],
    *,
    as_json: bool,
    yes: bool,
) -> bool:
    """Carry the call out and return whether all is well; what stops it ends the command."""
    is_look = wanted[0].action is RescueAction.LOOK
    options = ClientOptions.read_only() if is_look else ClientOptions.for_roles(("real", "site"))
    try:
        with open_sites(document.revealed(), options=options, source_has_nsx=document.source_has_nsx) as clients:
            rescuer = _rescuer(wave, clients, records, document)
            return RescueCall(rescuer, audit, *wanted, as_json=as_json, yes=yes).run()
    except EndpointsError as error:
        fail(str(error))
    except (ClientError, NoSubjectError, RescueUnusableError) as error:
        fail(audit.clean(str(error)), ExitCode.FAILED)
    except OSError as error:
        fail(f"{audit.path}: cannot be written: {reason(error)}. Nothing further is sent; give --reports FOLDER")


@dataclass(frozen=True)
class _Folders:
    state: Path
    reports: Path
    waves: Path


def _inputs(
    target: str, run: str, plan: Path | None, endpoints: Path, folders: _Folders
) -> tuple[Wave, Endpoints, Records]:
    inputs = Inputs(WaveFileError, DocumentError, PlanFileError)
    path, named_run = _wave_path(target, folders)
    wave = inputs.read(load_wave, path)
    document = inputs.read(load_endpoints, endpoints)
    records = None
    if wave is not None:
        records = inputs.read(
            read_records, wave.name, folders.state, folders.reports, run_id=run or named_run, plan_file=plan
        )
    if wave is None or document is None or records is None:
        fail(inputs.problems)
    return wave, document, records


def _wave_path(target: str, folders: _Folders) -> tuple[Path, str]:
    """Return the wave file that is meant, and the run, if it is one that is meant."""
    if target.endswith(SUFFIX) or Path(target).is_file():
        return Path(target), ""
    named = folders.waves / f"{target}{SUFFIX}"
    if "/" not in target and named.is_file():
        return named, ""
    wave = find_wave(folders.state, target)
    if wave is None:
        fail(
            f"{target}: there is no such wave file, no wave of that name in {folders.waves} (--waves), and no plan of "
            f"a run of that id in {folders.state} (--state). Give the wave file, and the run as --run"
        )
    return folders.waves / f"{wave}{SUFFIX}", target


def _rescuer(wave: Wave, clients: SiteClients, records: Records, document: Endpoints) -> Rescuer:
    problems: Sequence[str] = ()
    if records.plan is not None:
        plan, plan_from = records.plan, "the run's plan"
    else:
        plan, problems = plan_of_now(wave, clients, records, _now())
        plan_from = "the wave file and what is there now; no plan of the run is on disk"
    return Rescuer(
        wave,
        plan,
        clients,
        records,
        runner=CommandRunner(secrets=document.secrets()),
        patience=Patience(now=_now, sleep=_pause),
        plan_from=plan_from,
        problems=problems,
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _pause(seconds: float) -> None:
    time.sleep(seconds)
