"""Files of other kinds that are given as wave files: what they are is said in the first line."""

from __future__ import annotations

import codecs
import gzip
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hcx_waves.cli.app import main
from hcx_waves.wavefile.loader import load_wave
from hcx_waves.wavefile.problems import WaveFileError

ROWS = ["VM,Powerstate,Cluster", "web01,poweredOn,A", "web02,poweredOff,A"]


def said(path: Path) -> str:
    with pytest.raises(WaveFileError) as refused:
        load_wave(path)
    [problem] = refused.value.problems
    assert (problem.line, problem.column) == (1, 1)
    return problem.message


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("\n".join(ROWS), "a CSV file (3 columns, separated by commas)"),
        ("\n".join('"' + row.replace(",", '","') + '"' for row in ROWS), "a CSV file (3 columns, separated by commas)"),
        ("sep=;\n" + "\n".join(ROWS).replace(",", ";"), "a CSV file (3 columns, separated by semicolons)"),
        ("\n".join(ROWS).replace(",", "\t"), "a CSV file (3 columns, separated by tabs)"),
        ("\ufeff" + "\r\n".join(ROWS), "a CSV file"),
        ("<!DOCTYPE html>\n<html><body>404</body></html>", "an HTML or XML page"),
    ],
    ids=["commas", "quoted", "Excel's separator line", "tabs", "byte order mark", "page"],
)
def test_texts_of_other_kinds(tmp_path: Path, text: str, kind: str) -> None:
    path = tmp_path / "wave.yaml"
    path.write_text(text, encoding="utf-8")
    assert kind in said(path)


def test_files_that_are_no_text(tmp_path: Path) -> None:
    workbook, packed, wide = tmp_path / "a.xlsx", tmp_path / "b.json.gz", tmp_path / "c.yaml"
    with zipfile.ZipFile(workbook, "w") as file:
        file.writestr("xl/workbook.xml", "<workbook/>")
    packed.write_bytes(gzip.compress(b"{}"))
    wide.write_bytes(codecs.BOM_UTF16_LE + "name: a".encode("utf-16-le"))
    assert "Excel workbook" in said(workbook)
    assert "gzip" in said(packed)
    assert "UTF-16" in said(wide)


@pytest.mark.parametrize("text", ["a, b: [", "just text\nand more", "- web01\n- web02", "{a: 1, b: 2"])
def test_yaml_that_is_wrong_is_not_taken_for_a_table(tmp_path: Path, text: str) -> None:
    path = tmp_path / "wave.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(WaveFileError) as refused:
        load_wave(path)
    assert "CSV" not in str(refused.value)


def test_the_command_says_so_too(tmp_path: Path) -> None:
    path = tmp_path / "inventory.csv"
    path.write_text("\n".join(ROWS), encoding="utf-8")
    done = CliRunner().invoke(main, ["validate", str(path)])
    assert done.exit_code == 1
    assert "is a CSV file" in done.output
