"""The command ``plan``: from an inventory and rules to wave files; and questions about a plan."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from typer.core import TyperGroup

from hcx_waves.cli.output import ExitCode, Steps, counted, fail, note, print_rows, reason, working, write_file
from hcx_waves.forecast import ParametersError, load_parameters
from hcx_waves.inventory import ImportRefusedError, load_inventory
from hcx_waves.model.base import problems_in
from hcx_waves.model.formatting import duration
from hcx_waves.planner import (
    DEFAULT_SECONDS,
    NoPlanError,
    PlanDocument,
    PlanDocumentError,
    PlanRulesError,
    WaveFilesError,
    load_plan,
    load_rules,
    make_plan,
    plan_text,
    wave_files,
)
from hcx_waves.planner.asking import NotInPlanError, changed_rules, compare_plans, explain
from hcx_waves.planner.keeping import KeptPlan, MovesError, keep_plan, plan_csv, read_moves
from hcx_waves.planner.picture import plan_picture

T = TypeVar("T")
_UNUSABLE = (
    ImportRefusedError,
    PlanRulesError,
    ParametersError,
    PlanDocumentError,
    MovesError,
    OSError,
    UnicodeDecodeError,
)
_MAKE = "make"
_SHOWN, _STEPS = 20, 100


class PlanGroup(TyperGroup):
    """``plan FILE`` makes a plan; ``plan explain`` and the others ask about one."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take arguments that begin with no command for those of the one that makes a plan."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = [_MAKE, *args]
        return super().parse_args(ctx, args)


plan = typer.Typer(
    cls=PlanGroup,
    help="Plan waves: `hcx-waves plan INVENTORY --rules RULES` is short for `plan make`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)

RulesOption = Annotated[Path, typer.Option(help="The rules of the plan (YAML).")]
SecondsOption = Annotated[
    float, typer.Option(min=0, max=3600, help="Effort: about this many seconds. The same effort makes the same plan.")
]
SeedOption = Annotated[int, typer.Option(min=0, help="Seed of the search.")]
ParametersOption = Annotated[Path | None, typer.Option(help="Parameters of the forecast (YAML or JSON).")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON: the plan document.")]
InventoryArgument = Annotated[Path, typer.Argument(help="The inventory document, from `hcx-waves import`.")]
PlanArgument = Annotated[Path, typer.Argument(help="A plan document (plan.json).", metavar="PLAN")]


@plan.command(_MAKE)
def make(
    inventory: InventoryArgument,
    rules: RulesOption,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write: plan.json, plan.csv, plan.svg, and the wave files in waves/.")
    ] = None,
    seconds: SecondsOption = DEFAULT_SECONDS,
    seed: SeedOption = 0,
    parameters: ParametersOption = None,
    keep: Annotated[
        Path | None, typer.Option(help="A plan to keep: VMs stay in its waves, only what is new is planned.")
    ] = None,
    against: Annotated[Path | None, typer.Option(help="The same, for a newer inventory: says what it touches.")] = None,
    moves: Annotated[
        Path | None, typer.Option(help="With --keep: the plan's CSV file, in which VMs were moved.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Plan waves that keep networks extended for as short as possible.

    Exits with 0 if the plan keeps all hard rules, with 1 if there is no such plan (and says which rules conflict), with
    2 if an input cannot be used.
    """
    if keep is not None and against is not None:
        fail("--keep and --against are the same: give one of them")
    keep = keep or against
    if moves is not None and keep is None:
        fail("--moves needs --keep: the plan that the file belongs to")
    known, wanted = _usable(load_inventory, inventory), _usable(load_rules, rules)
    given = _usable(load_parameters, parameters)
    kept = None
    try:
        if keep is None:
            with working("Planning waves", steps=_STEPS, as_json=as_json) as steps:
                made = make_plan(known, wanted, given, seconds=seconds, seed=seed, progress=_percent(steps))
        else:
            old = _usable(load_plan, keep)
            moved = {} if moves is None else _usable(lambda: read_moves(moves.read_text("utf-8-sig"), old))
            kept = keep_plan(old, known, wanted, given, moves=moved, seconds=min(seconds, DEFAULT_SECONDS))
            made = kept.plan
        files = wave_files(made)
    except NoPlanError as error:
        fail(str(error).splitlines(), ExitCode.FAILED)
    except (PlanRulesError, WaveFilesError) as error:
        fail(str(error).splitlines())
    if kept is not None and not as_json:
        _print_kept(kept)
    if kept is not None and kept.broken:
        fail(
            [*kept.broken[:_SHOWN], f"{counted(len(kept.broken), 'hard rule')} broken; nothing was written"],
            ExitCode.FAILED,
        )
    if out is not None:
        _write(out, made, files)
    typer.echo(plan_text(made), nl=False) if as_json else _print(made)


@plan.command("explain")
def explain_plan(
    plan_file: PlanArgument,
    name: Annotated[str, typer.Argument(help="A VM, a wave or a network.")],
    inventory: Annotated[
        Path | None, typer.Option(help="The inventory: also says what would change if the VM moved elsewhere.")
    ] = None,
) -> None:
    """Say why a VM, a wave or a network is planned as it is.

    Exits with 0, or with 2 if an input cannot be used or the plan has nothing of that name.
    """
    known = None if inventory is None else _usable(load_inventory, inventory)
    try:
        lines = explain(_usable(load_plan, plan_file), name, known)
    except NotInPlanError as error:
        fail(str(error.args[0]))
    for line in lines:
        typer.echo(line)


@plan.command("compare")
def compare(
    one: PlanArgument, other: Annotated[Path, typer.Argument(help="Another plan document.", metavar="OTHER")]
) -> None:
    """Say how two plans differ.

    Exits with 0 if their waves are the same, with 1 if they differ, with 2 if an input cannot be used.
    """
    first, second = _usable(load_plan, one), _usable(load_plan, other)
    if first.waves == second.waves:
        typer.echo("the waves are the same")
        return
    for line in compare_plans(first, second):
        typer.echo(line)
    raise typer.Exit(ExitCode.FAILED)


@plan.command("whatif")
def whatif(
    inventory: InventoryArgument,
    rules: RulesOption,
    slots: Annotated[int | None, typer.Option(min=1, help="Networks that may be extended at once.")] = None,
    window: Annotated[str | None, typer.Option(help="How long the switchover window is, such as 8h.")] = None,
    mesh: Annotated[int | None, typer.Option(min=1, max=16, help="Service meshes.")] = None,
    seconds: SecondsOption = DEFAULT_SECONDS,
    seed: SeedOption = 0,
) -> None:
    """Plan with other limits beside the rules' own, and print both.

    Exits with 0 whether there are plans or not, with 2 if an input cannot be used.
    """
    known, wanted = _usable(load_inventory, inventory), _usable(load_rules, rules)
    try:
        changed = changed_rules(wanted, slots=slots, window=window, meshes=mesh)
    except ValidationError as error:
        fail(problems_in(error))
    rows = []
    for title, one in (("as the rules say", wanted), ("what if", changed)):
        try:
            rows.append(_figures_row(title, make_plan(known, one, seconds=seconds, seed=seed)))
        except NoPlanError as error:
            rows.append((title, f"no plan: {', '.join(error.rules)}", "", "", "", ""))
        except PlanRulesError as error:
            fail(str(error).splitlines())
    print_rows(_FIGURES, rows)


_FIGURES = ("plan", "days stretched", "slots", "waves", "last night", "dependencies cut")


def _figures_row(title: str, made: PlanDocument) -> tuple[str, ...]:
    one = made.figures
    counts = (str(one.days_stretched), str(one.peak_slots), str(one.waves))
    return (title, *counts, one.last_night, str(one.dependencies_cut))


def _usable(reader: Callable[..., T], *arguments: Any) -> T:
    """Return what a reader returns; end the command if the input cannot be used."""
    try:
        return reader(*arguments)
    except _UNUSABLE as error:
        fail(f"cannot be read: {reason(error)}" if isinstance(error, OSError) else str(error).splitlines())


def _percent(steps: Steps) -> Callable[[float], None]:
    """Return what takes the share that is done, and shows it as so many steps."""
    shown = 0

    def show(share: float) -> None:
        nonlocal shown
        while shown < share * _STEPS:
            shown += 1
            steps.done()

    return show


def _write(folder: Path, made: PlanDocument, files: dict[str, str]) -> None:
    write_file(folder / "plan.json", plan_text(made))
    write_file(folder / "plan.csv", "\ufeff" + plan_csv(made))
    write_file(folder / "plan.svg", plan_picture(made))
    prefix = f"{made.rules.name}-"
    for old in sorted((folder / "waves").glob(f"{prefix}[0-9][0-9][0-9].yaml")):
        if old.name not in files:
            old.unlink()
    for name, text in files.items():
        write_file(folder / "waves" / name, text)
    note(f"{folder}: plan.json, plan.csv, plan.svg and {counted(len(made.waves), 'wave file')} in waves")


def _print(made: PlanDocument) -> None:
    print_rows(
        ("wave", "night", "VMs", "GiB", "switchovers", "slots", "cuts", "keeps", "after", "risks"),
        (
            (
                one.name,
                one.night,
                str(len(one.members)),
                str(one.gib),
                duration(one.queue_seconds),
                str(one.slots),
                str(len(one.cuts)),
                str(len(one.keeps)),
                ", ".join(one.after[:3]) + (" ..." if len(one.after) > 3 else ""),
                "; ".join(one.risks) or "none",
            )
            for one in made.waves
        ),
        numbers=("VMs", "GiB", "slots", "cuts", "keeps"),
    )
    rows = [_figures_row("this plan", made)]
    for name, figures in made.compared.items():
        rows.append(_figures_row(name, made.model_copy(update={"figures": figures})))
    print_rows(_FIGURES, rows)
    for left in made.not_planned[:_SHOWN]:
        typer.echo(f"not planned: {left.name} {left.reason}")
    if len(made.not_planned) > _SHOWN:
        typer.echo(f"{len(made.not_planned)} VMs are in no wave; the plan lists them")
    for network in [one for one in made.networks if one.held_by][:_SHOWN]:
        typer.echo(f"never cut over: {network.name}: {', '.join(network.held_by)}")


def _print_kept(kept: KeptPlan) -> None:
    counts = (("moved", kept.moved), ("new", kept.new), ("gone", kept.gone), ("changed", kept.changed))
    typer.echo(", ".join(f"{len(keys)} {word}" for word, keys in counts))
    for wave, words in list(kept.touched.items())[:_SHOWN]:
        typer.echo(f"{wave}: {'; '.join(words[:_SHOWN])}")
    for line in kept.worse:
        typer.echo(f"worse: {line}")
