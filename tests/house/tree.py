"""The source tree as parsed modules, and what a name in one of them stands for."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ("include", "plugins")
SIMULATOR = "hcx_sim"

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, eq=False)
class Module:
    """One file of a package."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    def __str__(self) -> str:
        """Show the file as seen from the project's folder."""
        return str(self.path.relative_to(ROOT))

    @property
    def root(self) -> str:
        """The package at the top."""
        return self.name.partition(".")[0]

    @property
    def package(self) -> str:
        """The subpackage at the second level, or the top package for modules right in it."""
        parts = self.name.split(".")
        return ".".join(parts[:2]) if len(parts) > 2 or self.path.name == "__init__.py" else parts[0]

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the module's tree."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def docstrings(self) -> frozenset[int]:
        """The ids of the constants that are docstrings, or texts below a field, which no program reads."""
        bare = (node.value for node in self.nodes if isinstance(node, ast.Expr))
        return frozenset(
            id(value) for value in bare if isinstance(value, ast.Constant) and isinstance(value.value, str)
        )

    @cached_property
    def exported(self) -> frozenset[int]:
        """The ids of the constants in ``__all__``: names of objects, whatever else has that name."""
        lists = (
            node.value
            for node in self.tree.body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        )
        return frozenset(id(one) for value in lists for one in ast.walk(value))

    @cached_property
    def strings(self) -> tuple[str, ...]:
        """The strings of a module, those of f-strings as well, but no docstrings and no ``__all__``."""
        no_strings = self.docstrings | self.exported
        constants = (node for node in self.nodes if isinstance(node, ast.Constant) and id(node) not in no_strings)
        return tuple(constant.value for constant in constants if isinstance(constant.value, str))

    @cached_property
    def definitions(self) -> dict[str, Definition]:
        """Functions and classes at the top of the module."""
        return {node.name: node for node in self.tree.body if isinstance(node, (ast.ClassDef, *FUNCTIONS))}

    @cached_property
    def imported(self) -> dict[str, str]:
        """What imported names stand for, wherever in the module they are imported."""
        found = {}
        for node in self.nodes:
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
            elif isinstance(node, ast.Import):
                found.update({alias.asname or alias.name: alias.name for alias in node.names})
        return found


@cache
def all_modules() -> dict[str, Module]:
    """Return every module of every package below the source folders, by its name."""
    found = {}
    for source in SOURCES:
        for path in sorted((ROOT / source).glob("*/**/*.py")):
            parts = path.relative_to(ROOT / source).with_suffix("").parts
            if not (ROOT / source / parts[0] / "__init__.py").is_file():
                continue
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            text = path.read_text(encoding="utf-8")
            found[name] = Module(name, path, text, ast.parse(text))
    return found


def packages() -> tuple[str, ...]:
    """Return the packages at the top."""
    return tuple(dict.fromkeys(module.root for module in all_modules().values()))


def modules_of(*prefixes: str, without: tuple[str, ...] = ()) -> list[Module]:
    """Return the modules of some packages; of all but the simulator if none is named.

    :param without: packages that are left out.
    """
    wanted = prefixes or tuple(name for name in packages() if name != SIMULATOR)
    return [
        module for name, module in all_modules().items() if _is_below(name, wanted) and not _is_below(name, without)
    ]


def _is_below(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


@cache
def find(qualified: str) -> tuple[Module, Definition] | None:
    """Return a function or class of the tree by its full name, also where a package passes it on."""
    owner, _, name = qualified.rpartition(".")
    module = all_modules().get(owner)
    if module is None:
        return None
    if name in module.definitions:
        return module, module.definitions[name]
    return find(module.imported[name]) if name in module.imported else None


def meaning(module: Module, expression: ast.expr | None) -> tuple[Module, Definition] | None:
    """Return the function or class of the tree that a name or a dotted name stands for in a module."""
    if isinstance(expression, ast.Name):
        if expression.id in module.definitions:
            return module, module.definitions[expression.id]
        return find(module.imported[expression.id]) if expression.id in module.imported else None
    if isinstance(expression, ast.Attribute) and isinstance(expression.value, ast.Name):
        return find(f"{module.imported.get(expression.value.id)}.{expression.attr}")
    return None
