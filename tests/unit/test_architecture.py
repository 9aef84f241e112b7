"""docs/architecture.md shows the tree and the import rules as they are."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PACKAGES = {"hcx_waves": ROOT / "include" / "hcx_waves", "hcx_airflow": ROOT / "plugins" / "hcx_airflow"}
INDENT = 2


def shown() -> list[str]:
    """Return the paths of the folder tree, with a slash at the end of folders."""
    (tree,) = re.findall(r"^## Folders\n\n```\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL)
    return list(_paths(tree.splitlines()))


def _paths(lines: list[str]) -> Iterator[str]:
    parents: list[str] = []
    for line in lines:
        depth, odd = divmod(len(line) - len(line.lstrip()), INDENT)
        name, description = re.split(r"\s{2,}|$", line.strip(), maxsplit=1)
        assert not odd, f"indented by an odd number of spaces: {line}"
        assert depth <= len(parents), f"below no folder: {line}"
        assert description or name.endswith("/"), f"without a description: {line}"
        parents[depth:] = [name]
        yield "".join(parents)


def existing() -> Iterator[str]:
    """Yield every package of core and Airflow layer, and the modules at their top."""
    for package in PACKAGES.values():
        for path in sorted(package.rglob("__init__.py")):
            yield f"{path.parent.relative_to(ROOT)}/"
        for path in sorted(package.glob("*.py")):
            if path.name != "__init__.py":
                yield str(path.relative_to(ROOT))


def layers(package: str) -> list[set[str]]:
    """Return a package's layers as the import rules have them, from the top down."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (contract,) = (one for one in contracts if one["type"] == "layers" and one["containers"] == [package])
    written = [frozenset(re.findall(r"\w+", layer)) for layer in contract["layers"]]
    return [set(layer) for layer in dict.fromkeys(written)]


def test_what_the_tree_shows_exists() -> None:
    missing = [path for path in shown() if not (ROOT / path).exists() or path.endswith("/") != (ROOT / path).is_dir()]

    assert len(shown()) > 50
    assert missing == []


def test_nothing_is_shown_twice() -> None:
    assert len(shown()) == len(set(shown()))


def test_every_package_is_shown() -> None:
    found = set(existing())

    assert len(found) > 40
    assert found - set(shown()) == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_the_layers_are_those_of_the_import_rules(package: str) -> None:
    (line,) = re.findall(rf"^- \*\*`{package}`\*\*:(.*?)\n(?=- )", PAGE, re.MULTILINE | re.DOTALL)

    assert [set(re.findall(r"`(\w+)`", layer)) for layer in line.split("→")] == layers(package)


def test_every_link_of_the_page_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)

    assert links
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []


def test_the_classes_of_the_steps_are_where_the_page_says() -> None:
    page = (ROOT / "docs" / "airflow.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:operators|sensors|gates)\.\w+)\.([A-Z]\w+)", page)
    files = {module: PACKAGES["hcx_airflow"] / f"{module.replace('.', '/')}.py" for module, _ in named}
    texts = {module: file.read_text(encoding="utf-8") if file.exists() else "" for module, file in files.items()}

    assert len(named) > 20
    assert [(module, name) for module, name in named if f"\nclass {name}(" not in texts[module]] == []
