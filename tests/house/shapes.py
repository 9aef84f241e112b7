"""Classes, functions and values by their shape: forms of a VM, names used twice, untyped mappings, lengths."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterator

from house.tree import FUNCTIONS, Function, Module, all_modules, modules_of

AIRFLOW_LAYER, CORE = "hcx_airflow", "hcx_waves"
CLIENTS = f"{CORE}.clients"
PRIVATE_API = f"{AIRFLOW_LAYER}.airflow_private"
_BESIDE = ("doctor", "forecast", "inventory", "model.expectation", "planner", "rehearsals", "snapshot", "twin")
BESIDE = tuple(f"{CORE}.{name}" for name in _BESIDE)
"""What is not on the way from a wave file to the report."""
NAMED_MAPPINGS = ("Arguments", "Document")
NO_FORMS = ("VmSettings", "StayingVm")
"""Settings that many VMs share, and a VM that no wave moves: no forms of the VM that is followed here."""
_OF_ONE_VM = re.compile(r"(Vm|VirtualMachine)(?![a-z])")
_MODELS = {"BaseModel", "TypedDict", "NamedTuple"}
_MAPPINGS = ("dict", "Mapping", "MutableMapping")
_NO_CODE = {
    *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT),
    *(tokenize.ENCODING, tokenize.ENDMARKER),
}


def classes(modules: list[Module]) -> Iterator[tuple[Module, ast.ClassDef]]:
    """Yield all classes of some modules."""
    for module in modules:
        yield from ((module, node) for node in module.nodes if isinstance(node, ast.ClassDef))


def vm_forms() -> tuple[list[str], list[str]]:
    """Return the forms of one VM from the wave file to the report, and those beside that way.

    A form is a model, dataclass or TypedDict with ``Vm`` or ``VirtualMachine`` as a word of its name, outside the
    clients.
    """
    models = _model_names()
    found: dict[bool, list[str]] = {True: [], False: []}
    for module, node in classes(modules_of(CORE, AIRFLOW_LAYER, without=(CLIENTS,))):
        is_dataclass = any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)
        if node.name not in NO_FORMS and _OF_ONE_VM.search(node.name) and (is_dataclass or node.name in models):
            found[module.name.startswith(BESIDE)].append(f"{module.name}.{node.name}")
    return found[False], found[True]


def _model_names() -> set[str]:
    bases = {
        node.name: {ast.unparse(base).rpartition(".")[2] for base in node.bases}
        for _, node in classes(list(all_modules().values()))
    }
    models = set(_MODELS)
    while more := {name for name, above in bases.items() if above & models} - models:
        models |= more
    return models


def class_names_used_twice() -> dict[str, list[str]]:
    """Return the names that several classes have, with their modules; without the simulator."""
    found: dict[str, list[str]] = defaultdict(list)
    for module, node in classes(modules_of()):
        found[node.name].append(module.name)
    return {name: sorted(where) for name, where in sorted(found.items()) if len(where) > 1}


def namesakes_imported_together() -> list[str]:
    """Return where one module imports two classes of one name, under whatever other names."""
    namesakes, found = class_names_used_twice(), []
    for module in modules_of():
        origins: dict[str, set[str]] = defaultdict(set)
        for node in module.nodes:
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if alias.name in namesakes and node.module in namesakes[alias.name]:
                        origins[alias.name].add(node.module)
        found += [f"{module}: {name}" for name, where in origins.items() if len(where) > 1]
    return found


def untyped_mappings() -> Counter[str]:
    """Count ``dict[str, Any]``, ``Mapping[str, Any]`` and their like in the Airflow layer, by module."""
    nodes = _nodes(AIRFLOW_LAYER)
    return Counter(module.name for module, node in nodes if isinstance(node, ast.Subscript) and _is_untyped(node))


def _is_untyped(node: ast.Subscript) -> bool:
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else []
    return ast.unparse(node.value) in _MAPPINGS and [ast.unparse(part) for part in inner] == ["str", "Any"]


def named_mappings() -> Counter[str]:
    """Count the uses of the two names for untyped mappings, by module."""
    return Counter(
        module.name
        for module, node in _nodes(AIRFLOW_LAYER)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in NAMED_MAPPINGS
    )


def string_keyed_reads() -> Counter[str]:
    """Count reads by a key that is written down (``x["key"]``, ``x.get("key")``) in the Airflow layer, by module.

    What is read from Airflow's own task context or from the environment has no other form, so it is left out.
    """
    return Counter(module.name for module, node in _nodes(AIRFLOW_LAYER) if _is_keyed_read(node))


def _is_keyed_read(node: ast.AST) -> bool:
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        read, key = ast.unparse(node.value), node.slice
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args:
        read, key = ast.unparse(node.func.value), node.args[0]
    else:
        return False
    is_text = isinstance(key, ast.Constant) and isinstance(key.value, str)
    return is_text and read.rpartition(".")[2] not in ("context", "environ", "Literal")


def task_storage_uses() -> Counter[str]:
    """Count the places where Python in the Airflow layer reads or writes XComs or the state store, by module.

    Templates are strings, and Airflow fills them in; what a trigger leaves by ending its task is an event.
    """
    used = Counter(module.name for module, node in _nodes(AIRFLOW_LAYER) if _uses_storage(node))
    return Counter({name: count for name, count in used.items() if name != PRIVATE_API})


def _uses_storage(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr in ("xcom_pull", "xcom_push", "task_state_store")
    return isinstance(node, ast.Constant) and node.value == "task_state_store"


def _nodes(*packages: str) -> Iterator[tuple[Module, ast.AST]]:
    for module in modules_of(*packages):
        yield from ((module, node) for node in module.nodes)


def longest_functions(limit: int) -> list[str]:
    """Return the functions that are longer than a number of lines, signature and all but their docstring."""
    found = []
    for module in all_modules().values():
        for node in module.nodes:
            if isinstance(node, FUNCTIONS) and (lines := _lines(node)) > limit:
                found.append(f"{module}:{node.lineno} {node.name}: {lines} lines")
    return found


def _lines(node: Function) -> int:
    first = node.body[0]
    has_docstring = ast.get_docstring(node) is not None
    return _span(node) - (_span(first) if has_docstring else 0)


def _span(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def longest_modules(limit: int) -> list[str]:
    """Return the modules that are longer than a number of lines."""
    sizes = {str(module): module.text.count("\n") for module in all_modules().values()}
    return [f"{path}: {lines} lines" for path, lines in sizes.items() if lines > limit]


def sizes() -> dict[str, tuple[int, int, int]]:
    """Return modules, lines, and lines of code (neither blank nor comment nor docstring) by package.

    The core and the Airflow layer are shown package by package, all others as a whole.
    """
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for module in all_modules().values():
        lines, code = module.text.count("\n"), _lines_of_code(module)
        for package in {module.root, module.package if module.root in (CORE, AIRFLOW_LAYER) else module.root}:
            counts = found[f"{package}.*" if package == module.root else package]
            counts[:] = counts[0] + 1, counts[1] + lines, counts[2] + code
    return {name: (one[0], one[1], one[2]) for name, one in sorted(found.items())}


def _lines_of_code(module: Module) -> int:
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        if token.type not in _NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in module.nodes:
        if isinstance(node, ast.Expr) and id(node.value) in module.docstrings:
            lines.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)
