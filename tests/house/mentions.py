"""Where things are mentioned: task ids, gates, what Airflow keeps private, quantiles, and words to be avoided."""

from __future__ import annotations

import ast
import re
from functools import cache

from house.shapes import AIRFLOW_LAYER, CORE
from house.tree import FUNCTIONS, Module, all_modules, modules_of

NAMES = (f"{AIRFLOW_LAYER}.names", f"{AIRFLOW_LAYER}.dag_factory.names")
"""Where the ids of tasks are; the first that is there."""
GATES = ("approve_wave", "approve_switchover", "approve_cutover", "approve_cleanup", "confirm_disconnected")
WAVE_FILE = f"{CORE}.wavefile"
"""Describes the gates of a wave file, so that their names are field names there."""
PUBLIC_AIRFLOW = re.compile(
    r"airflow\.(sdk(\.(exceptions|configuration|types))?|configuration|listeners|plugins_manager|triggers\.base"
    r"|timetables(\..+)?|providers\..+)"
)
"""Modules of Airflow that its documentation shows to authors of DAGs, providers and plugins."""
_VERB_NOUN = re.compile(r"[a-z]+(_[a-z]+)+")
_NO_TASK = ("_PREFIX", "_DAG_ID", "_KEY", "RETRY_AFTER")
_AIRFLOW_MODULE = re.compile(r"airflow\.(api_fastapi|dag_processing|executors|jobs|models|sdk|utils)(\.[a-z_]+)+")
_NUMERIC = ("np", "numpy", "statistics")
_QUANTILES = ("quantile", "quantiles", "nanquantile", "percentile")
_OWN_QUANTILES = ("quantile", "percentile")


@cache
def task_ids() -> dict[str, str]:
    """Return the ids of tasks, each with the name of its constant."""
    names = next((all_modules()[name] for name in NAMES if name in all_modules()), None)
    found = {}
    for node in names.nodes if names is not None else ():
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Constant):
            name = ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
            if _VERB_NOUN.fullmatch(str(node.value.value)) and not name.endswith(_NO_TASK):
                found[str(node.value.value)] = name
    return found


def spelt_task_ids() -> dict[str, list[str]]:
    """Return the files that spell each task id in a string by itself, not in a sentence; most files first.

    Without the simulator, which knows no tasks, and the fields of the wave file.
    """
    found: dict[str, list[str]] = {task_id: [] for task_id in task_ids()}
    for module in modules_of(without=(WAVE_FILE,)):
        words = {word for text in module.strings if not re.search(r"\s", text) for word in re.findall(r"\w+", text)}
        for task_id in words & found.keys():
            found[task_id].append(str(module))
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))


def files_spelling_gates() -> list[str]:
    """Return the files that spell a gate's id in any string, beside those that describe the wave file."""
    modules = modules_of(AIRFLOW_LAYER, CORE, without=(WAVE_FILE,))
    return [str(module) for module in modules if _words(module) & set(GATES)]


def files_naming_gates() -> list[str]:
    """Return the files that spell a gate's id or use its constant."""
    constants = {name for task_id, name in task_ids().items() if task_id in GATES}
    modules = modules_of(AIRFLOW_LAYER, CORE, without=(WAVE_FILE,))
    return [str(module) for module in modules if _words(module) & set(GATES) or _used(module) & constants]


def _words(module: Module) -> set[str]:
    return {word for text in module.strings for word in re.findall(r"\w+", text)}


def _used(module: Module) -> set[str]:
    nodes = module.nodes
    return {node.id for node in nodes if isinstance(node, ast.Name)} | {
        node.attr for node in nodes if isinstance(node, ast.Attribute)
    }


def files_with_private_airflow() -> dict[str, list[str]]:
    """Return the files that import a module of Airflow that is not public, or name one in a string."""
    found = {}
    for module in modules_of():
        named = {text for text in module.strings if _AIRFLOW_MODULE.fullmatch(text)}
        private = sorted(name for name in _airflow_imports(module) | named if not PUBLIC_AIRFLOW.fullmatch(name))
        if private:
            found[str(module)] = private
    return found


def _airflow_imports(module: Module) -> set[str]:
    found = set()
    for node in module.nodes:
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
    return {name for name in found if name.startswith("airflow.")}


def quantile_functions() -> list[str]:
    """Return the functions that compute a quantile of figures: by a library, or by themselves under that name."""
    found = []
    for module in modules_of():
        for node in module.nodes:
            if isinstance(node, FUNCTIONS) and (node.name in _OWN_QUANTILES or _calls_quantile(node)):
                found.append(f"{module.name}.{node.name}")
    return found


def _calls_quantile(function: ast.AST) -> bool:
    calls = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
    attributes = (target for target in calls if isinstance(target, ast.Attribute))
    return any(one.attr in _QUANTILES and ast.unparse(one.value) in _NUMERIC for one in attributes)


def strings_with(word: str) -> dict[str, int]:
    """Return how often a word is in strings that are no docstrings, by file."""
    counts = {
        str(module): sum(len(re.findall(rf"\b{word}\b", text, re.IGNORECASE)) for text in module.strings)
        for module in all_modules().values()
    }
    return {path: count for path, count in counts.items() if count}


def occurrences(word: str) -> int:
    """Return how often a word is anywhere in the source, also as a part of names."""
    pattern = re.compile(rf"(?<![a-z]){word}(?![a-z])", re.IGNORECASE)
    return sum(len(pattern.findall(module.text)) for module in all_modules().values())


def functions_ending(suffix: str) -> list[str]:
    """Return the functions whose names end in something."""
    return [
        f"{module.name}.{node.name}"
        for module in all_modules().values()
        for node in module.nodes
        if isinstance(node, FUNCTIONS) and node.name.endswith(suffix)
    ]
