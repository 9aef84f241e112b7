"""The table of the house: what is measured in the source, how it is now, and how it has to be.

``make house`` prints it. The numbers that can be held are held by ``test_house.py``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from house import circles, journeys, mentions, shapes
from house.tree import SIMULATOR, modules_of

JOURNEYS = {
    # Two of these are what authenticates each result: the seal and the ledger.
    "gate body of a run": (7, [("hcx_airflow.gates.view.read_view", "run")]),
    "write_report": (8, [("hcx_airflow.reports.write_report", "run")]),
    "record of a rehearsal": (9, [("hcx_airflow.operators.rehearsal._record", "run")]),
    "wave_dags": (
        9,
        [("hcx_airflow.dag_factory.loader.wave_dags", "folder"), ("hcx_airflow.dag_factory.loader._dags_of", "file")],
    ),
}
"""How many files one argument may visit, and where it sets out: functions with their parameters."""
PLAIN_VALUES = ("hcx_waves.wavefile", "hcx_waves.model")
"""What everybody reads and nobody has to look into: not counted among the files of a journey."""
# These are held from now on; a figure that gets better may take its limit along, none is ever raised.
MOST_VM_FORMS = 9
MOST_UNTYPED_MAPPINGS = 8
MOST_KEYED_READS = 39
MOST_FILES_SPELLING_GATES = 1
MOST_NAMES_USED_TWICE = 1
MOST_LINES_OF_FUNCTION = 60
MOST_LINES_OF_MODULE = 450
DEMO_IN_THE_CORE = f"{shapes.CORE}.demo"


@dataclass(frozen=True)
class Row:
    """One line of the table, and what stands behind its figure."""

    what: str
    now: int | str
    to_be: str
    behind: Sequence[str] = ()


def journey(name: str, *, with_values: bool = False) -> list[str]:
    """Return the files of a journey.

    :param with_values: whether plain values count as well.
    :raises LookupError: if it sets out from a function that is not there.
    """
    _, starts = JOURNEYS[name]
    found = {module for start, parameter in starts for module in journeys.modules_visited(start, parameter)}
    return sorted(str(module) for module in found if with_values or not module.name.startswith(PLAIN_VALUES))


def rows() -> Iterator[Row]:
    """Yield the table."""
    yield from _of_imports()
    yield from _of_journeys()
    yield from _of_values()
    yield from _of_names()
    yield from _of_words()
    yield _lengths("functions", MOST_LINES_OF_FUNCTION, shapes.longest_functions(MOST_LINES_OF_FUNCTION))
    yield _lengths("modules", MOST_LINES_OF_MODULE, shapes.longest_modules(MOST_LINES_OF_MODULE))


def _of_imports() -> Iterator[Row]:
    for what, found in (("modules", circles.module_circles()), ("siblings", circles.sibling_circles())):
        shown = [" - ".join(circle) for circle in found]
        ours = [circle for circle in shown if not circle.startswith(SIMULATOR)]
        yield Row(f"import circles of {what} (with the simulator)", f"{len(ours)} ({len(shown)})", "0", shown)
    demo = [str(module) for module in modules_of(DEMO_IN_THE_CORE)]
    yield Row("modules of the demo within the core", len(demo), "0")
    private = mentions.files_with_private_airflow()
    shown = [f"{path}: {', '.join(names)}" for path, names in private.items()]
    yield Row("files with private Airflow API", len(private), "1", shown)


def _of_journeys() -> Iterator[Row]:
    for name, (most, _) in JOURNEYS.items():
        try:
            files, every = journey(name), journey(name, with_values=True)
        except LookupError as error:
            yield Row(f"files visited: {name}", "?", f"<= {most}", [str(error)])
        else:
            what = f"files visited: {name} (with plain values)"
            yield Row(what, f"{len(files)} ({len(every)})", f"<= {most}", files)


def _of_values() -> Iterator[Row]:
    forms, beside = shapes.vm_forms()
    shown = [*forms, *(f"beside: {name}" for name in beside)]
    yield Row("forms of one VM (beside the way)", f"{len(forms)} ({len(beside)})", f"<= {MOST_VM_FORMS}", shown)
    untyped, reads = shapes.untyped_mappings(), shapes.string_keyed_reads()
    shown = [f"{name}: {count}" for name, count in untyped.most_common()]
    yield Row("untyped mappings in the Airflow layer", untyped.total(), f"<= {MOST_UNTYPED_MAPPINGS}", shown)
    yield Row("... and under the names Arguments and Document", shapes.named_mappings().total(), "")
    shown = [f"{name}: {count}" for name, count in reads.most_common()]
    yield Row("string-keyed reads in the Airflow layer", reads.total(), f"<= {MOST_KEYED_READS}", shown)
    storage = shapes.task_storage_uses()
    yield Row("modules that read or write XComs and task state", len(storage), "1", list(storage))


def _of_names() -> Iterator[Row]:
    gates, named = mentions.files_spelling_gates(), mentions.files_naming_gates()
    yield Row("files that spell a gate's id", len(gates), f"<= {MOST_FILES_SPELLING_GATES}", gates)
    yield Row("files that spell or use a gate's id", len(named), "", sorted(set(named) - set(gates)))
    spelt = mentions.spelt_task_ids()
    shown = [f"{len(files)}: {task_id}" for task_id, files in spelt.items() if len(files) > 1]
    yield Row("files that spell one task id, at most", max(map(len, spelt.values()), default=0), "1", shown)
    twice = shapes.class_names_used_twice()
    shown = [f"{name}: {', '.join(where)}" for name, where in twice.items()]
    yield Row("class names used twice", len(twice), f"<= {MOST_NAMES_USED_TWICE}", shown)
    together = shapes.namesakes_imported_together()
    yield Row("namesakes imported together", len(together), "0", together)


def _of_words() -> Iterator[Row]:
    quantiles = mentions.quantile_functions()
    yield Row("functions that compute a quantile", len(quantiles), "1", quantiles)
    told = mentions.strings_with("told")
    shown = [f"{path}: {count}" for path, count in told.items()]
    yield Row('"told" in output', sum(told.values()), "0", shown)
    yield Row('"told" anywhere in the source', mentions.occurrences("told"), "")
    yield Row("functions ending in _of", len(mentions.functions_ending("_of")), "")


def _lengths(what: str, limit: int, found: Sequence[str]) -> Row:
    return Row(f"{what} above {limit} lines", len(found), "0", found)


def print_table() -> None:
    """Print the table, what stands behind it, and the size of each package."""
    table = list(rows())
    width = max(len(row.what) for row in table) + 2
    lines = [f"{'what':{width}}{'now':>9}  to be", *(f"{row.what:{width}}{row.now:>9}  {row.to_be}" for row in table)]
    lines += ["", f"{'package':{width}}{'modules':>9}{'lines':>9}{'code':>9}"]
    for package, (modules, total, code) in shapes.sizes().items():
        lines.append(f"{package:{width}}{modules:>9}{total:>9}{code:>9}")
    for row in table:
        lines += ["", f"{row.what}: {row.now}", *(f"  {one}" for one in row.behind)] if row.behind else []
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    print_table()
