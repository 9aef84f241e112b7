"""What people have becomes one inventory, or is refused with every problem and its place."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hcx_waves.inventory import (
    ImportRefusedError,
    inventory_schema_text,
    inventory_text,
    load_inventory,
    read_inventory,
)
from support.rvtools import VCENTER, Estate, csv_text, estate, workbook

ROOT = Path(__file__).parents[3]
pytest.importorskip("python_calamine", reason="the extra [import] is not installed")


def refused(path: Path, *others: Path, **options: Any) -> list[str]:
    """Import files that cannot be, and return what is said."""
    with pytest.raises(ImportRefusedError) as error:
        read_inventory([path, *others], **options)
    return str(error.value).splitlines()


def written(tmp_path: Path, made: Estate, name: str = "export.xlsx") -> Path:
    return made.write(tmp_path / name)


def test_a_workbook_is_read_whole(tmp_path: Path) -> None:
    found = read_inventory([written(tmp_path, estate(60, 8))], {"application": "App"})

    (first, *_) = found.vms
    assert len(found.vms) == 60
    assert first.key == f"{VCENTER}/vm-1000"
    assert first.application == "app0001"
    assert first.networks
    assert first.disks[0].capacity_bytes == first.provisioned_bytes
    assert first.instance_uuid != first.bios_uuid
    assert found.sources[0].ignored == ("vHost",)
    assert found.sources[0].own_columns == ("App", "Tier", "Stage")
    assert {one.category: one.known for one in found.coverage}["flows"] == 0


def test_the_document_can_be_read_again_and_keeps_its_schema(tmp_path: Path) -> None:
    found = read_inventory([written(tmp_path, estate(20, 4))])
    path = tmp_path / "inventory.json"
    path.write_text(inventory_text(found), encoding="utf-8")

    assert load_inventory(path) == found
    jsonschema.validate(json.loads(path.read_text(encoding="utf-8")), json.loads(inventory_schema_text()))
    text = (ROOT / "docs" / "inventory.schema.json").read_text(encoding="utf-8")
    assert text == inventory_schema_text(), "write inventory_schema_text() to docs/inventory.schema.json"


def test_columns_are_found_by_name_in_any_order_and_in_old_forms(tmp_path: Path) -> None:
    sheets = estate(10, 4).sheets()
    header, *rows = sheets["vInfo"]
    order = list(reversed(range(len(header))))
    old = {"Provisioned MiB": "Provisioned MB", "In Use MiB": "In Use MB ", "VI SDK UUID": "vCenter UUID"}
    gone = header.index("SMBIOS UUID")
    turned = [[old.get(header[n], header[n]) for n in order if n != gone]]
    turned += [[row[n] for n in order if n != gone] for row in rows]
    (tmp_path / "old.xlsx").write_bytes(workbook({**sheets, "vInfo": turned}))

    found = read_inventory([tmp_path / "old.xlsx"])

    assert len(found.vms) == 10
    assert all(vm.used_bytes and vm.vcenter_uuid == VCENTER for vm in found.vms)
    # An old export's "VM UUID" is the BIOS's.
    assert all(vm.instance_uuid is None and vm.bios_uuid for vm in found.vms)


@pytest.mark.parametrize(
    ("encoding", "delimiter", "number"),
    [
        ("utf-8", ",", "2,048.5"),
        ("utf-8-sig", ";", "2.048,5"),
        ("utf-16", ";", "2.048,5"),
        ("utf-16", "\t", "2048.5"),
        ("utf-8-sig", ";", "2 048,5"),
        ("utf-8", ",", "2'048.5"),
    ],
)
def test_csv_tabs_of_many_countries(tmp_path: Path, encoding: str, delimiter: str, number: str) -> None:
    info = [["VM", "Powerstate", "Memory", "In Use MiB", "VM ID", "VI SDK UUID"]]
    info += [["bücher-01", "poweredOn", "4096", number, "vm-7", VCENTER]]
    cards = [["VM", "Network", "Mac Address", "VM ID", "VI SDK UUID"], ["bücher-01", "n1", "", "vm-7", VCENTER]]
    paths = [tmp_path / "RVTools_tabvInfo.csv", tmp_path / "RVTools_tabvNetwork.csv"]
    for path, rows in zip(paths, (info, cards), strict=True):
        path.write_bytes(csv_text(rows, delimiter).encode(encoding))

    (vm,) = read_inventory(paths).vms

    assert vm.name == "bücher-01"
    assert vm.used_bytes == 2148007936
    assert vm.networks == ("n1",)


def _dirty(change: Callable[[list[list[Any]], dict[str, list[list[Any]]]], None]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        sheets = estate(6, 4).sheets()
        change(sheets["vInfo"], sheets)
        (folder / "dirty.xlsx").write_bytes(workbook(sheets))
        return folder / "dirty.xlsx"

    return make


def _cell(column: str, value: Any, row: int = 2) -> Callable[[Path], Path]:
    return _dirty(lambda info, _: info[row - 1].__setitem__(info[0].index(column), value))


def _file(content: bytes, name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


DIRTY = {
    "no name": (_cell("VM", ""), 'sheet vInfo, row 2, column "VM": must be the name of the VM'),
    "a broken reference": (_cell("VM", "#REF!"), 'row 2, column "VM": must be the name'),
    "an anonymised id": (_cell("VM ID", "VM 12"), 'row 2, column "VM ID": must be the VM\'s id'),
    "no id": (_cell("VM ID", "", 3), 'row 3, column "VM ID": must be the VM\'s id'),
    "one VM twice": (_cell("VM ID", "vm-1000", 4), "is the same VM as in dirty.xlsx, sheet vInfo, row 2"),
    "not a number": (_cell("Memory", "8 GB"), 'column "Memory": must be a number such as 40960, not "8 GB"'),
    "a negative number": (_cell("In Use MiB", -1), 'column "In Use MiB": must be a number of at least 0'),
    "a strange power state": (_cell("Powerstate", "maybe"), "must be poweredOn, poweredOff or suspended"),
    "not a UUID": (_cell("VM UUID", "12-34"), 'column "VM UUID": is not a UUID'),
    "a name too long": (_cell("VM", "x" * 81), "row 2"),
    "no tab vInfo": (_dirty(lambda _, sheets: sheets.__delitem__("vInfo")), "has no tab vInfo"),
    "no header": (_dirty(lambda info, _: info.pop(0)), 'has no column "VM"'),
    "a broken MAC": (
        _dirty(lambda _, sheets: sheets["vNetwork"][1].__setitem__(5, "00:50")),
        'sheet vNetwork, row 2, column "Mac Address": is not a MAC address',
    ),
    "another encoding": (_file("VM,Owner\nbücher,x\n".encode("cp1252"), "list.csv"), "row 2: is neither UTF-8"),
    "no column of names": (_file(b"a,b\n1,2\n", "list.csv"), "has no column that names a VM"),
    "an empty file": (_file(b"  \n", "list.txt"), "is empty"),
    "an old workbook": (_file(b"\xd0\xcf\x11\xe0rest", "old.xls"), "save it as .xlsx"),
    "another archive": (_file(b"PK\x03\x04rest", "x.xlsx"), "is damaged"),
    "strange JSON": (_file(b'{"a": 1}', "wave.json"), "neither a snapshot nor a wave"),
}


@pytest.mark.parametrize("kind", DIRTY)
def test_a_dirty_input_is_refused_with_its_place(tmp_path: Path, kind: str) -> None:
    make, message = DIRTY[kind]

    lines = refused(make(tmp_path))

    assert any(message in line for line in lines), lines


def test_every_problem_of_every_file_is_said_at_once(tmp_path: Path) -> None:
    first = _cell("Memory", "much")(tmp_path)
    (tmp_path / "flows.csv").write_text("source,destination,port\napp0001-00000,app0001-00001,https\n")

    lines = refused(first, tmp_path / "flows.csv")

    assert any("Memory" in line for line in lines)
    assert any("flows.csv" in line and "https" in line for line in lines)


def test_names_that_several_vms_have_are_not_guessed(tmp_path: Path) -> None:
    made = estate(6, 4)
    made.vms[1]["VM"] = made.vms[0]["VM"]
    (tmp_path / "list.csv").write_text(f"VM,Wave\n{made.vms[0]['VM']},1\n")

    lines = refused(written(tmp_path, made), tmp_path / "list.csv")

    assert any("list.csv, row 2" in line and "are 2 VMs" in line and "VM ID" in line for line in lines)


def test_a_list_adds_to_the_inventory_and_names_what_is_not_there(tmp_path: Path) -> None:
    export = written(tmp_path, estate(6, 4))
    (tmp_path / "intake.csv").write_bytes(
        b"\xef\xbb\xbfserver_name,server_os_family,app_name,wave_name\napp0001-00000,linux,Shop,first\ngone-01,linux,Shop,first\n"
    )

    found = read_inventory([export, tmp_path / "intake.csv"])

    assert found.sources[1].kind == "cmf"
    assert [(vm.application, vm.wave) for vm in found.vms if vm.application] == [("Shop", "first")]
    (remark,) = [one for one in found.remarks if one.kind == "stale"]
    assert (remark.row, '"gone-01"' in remark.message) == (3, True)


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("vms.txt", b"# first\nweb-01\n\nweb-02 # the other\n", "list"),
        ("vms.csv", b"VM;Application\nweb-01;Shop\nweb-02;Shop\n", "list"),
        (
            "cli.csv",
            b'#TYPE VMware.VimAutomation\n"Name","PowerState","NumCpu","MemoryGB","Id"\n'
            b'"web-01","PoweredOn","2","4","VirtualMachine-vm-1"\n"web-02","PoweredOff","2","4","VirtualMachine-vm-2"\n',
            "powercli",
        ),
        (
            "azure.csv",
            b"*Server name,IP addresses,*Cores,*Memory (In MB),*OS name,Disk 1 size (In GB)\n"
            b"web-01,,2,4096,Linux,10\nweb-02,,2,4096,Linux,10\n",
            "azure-migrate",
        ),
        (
            "wave.json",
            json.dumps(
                {
                    "name": "w1",
                    "mobilityGroups": [{"name": "g", "vms": [{"id": "web-01", "apps": ["Shop"]}, {"id": "web-02"}]}],
                }
            ).encode(),
            "hcx-wave",
        ),
    ],
)
def test_lists_of_many_makers(tmp_path: Path, name: str, content: bytes, kind: str) -> None:
    (tmp_path / name).write_bytes(content)

    found = read_inventory([tmp_path / name])

    assert found.sources[0].kind == kind
    assert sorted(vm.name for vm in found.vms) == ["web-01", "web-02"]


def test_secrets_are_named_by_place_and_never_kept(tmp_path: Path) -> None:
    made = estate(60, 4)
    made.vms[0]["Annotation"] = "old box, pw: Tr0ub4dor&3"
    made.vms[2]["App"] = "root/Hunter22x"
    sheets = made.sheets()
    sheets["vSnapshot"][1][2] = "before change, password=CorrectHorse9"
    (tmp_path / "export.xlsx").write_bytes(workbook(sheets))

    found = read_inventory([tmp_path / "export.xlsx"], {"application": "App"})

    places = {(one.sheet, one.row, one.column) for one in found.remarks if one.kind == "secret"}
    assert places == {("vInfo", 2, "Annotation"), ("vInfo", 4, "App"), ("vSnapshot", 2, "Description")}
    text = inventory_text(found)
    assert not any(secret in text for secret in ("Tr0ub4dor", "Hunter22x", "CorrectHorse9"))


def test_flows_of_two_makers(tmp_path: Path) -> None:
    export = written(tmp_path, estate(6, 4))
    (tmp_path / "flows.csv").write_text(
        "source,destination,port,bytes,first,last\napp0001-00000,app0002-00001,443,1000,,\nelse,app0001-00000,22,5,,\n"
    )
    (tmp_path / "azure.csv").write_text(
        "Timeslot,Source server name,Source process,Destination server name,Destination IP,Destination port\n"
        "2026-01-01,app0001-00000,java,app0002-00001,10.0.0.1,5432\n"
    )

    names = [vm.name for vm in read_inventory([export]).vms]
    for path in (tmp_path / "flows.csv", tmp_path / "azure.csv"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("app0001-00000", names[0]).replace("app0002-00001", names[1]), encoding="utf-8")
    found = read_inventory([export, tmp_path / "flows.csv", tmp_path / "azure.csv"])

    assert [(flow.port, flow.bytes) for flow in found.flows] == [(443, 1000), (5432, None)]
    assert [one.message for one in found.remarks if one.kind == "unmatched"] == [
        '"else" is no VM of the inventory; 1 flows are left out'
    ]


def _sheet(rows: str) -> str:
    return f'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>'


_HEAD = '<row r="1"><c r="A1" t="inlineStr"><is><t>VM</t></is></c></row>'
HOSTILE = {
    "a million blank rows": (
        {"vInfo": _sheet(_HEAD + "".join(f'<row r="{n}"/>' for n in range(2, 1_048_577)))},
        {},
        "blank rows",
    ),
    "a cell far away": (
        {"vInfo": _sheet(_HEAD + '<row r="99999"><c r="IV99999"><v>1</v></c></row>')},
        {},
        "mostly blank",
    ),
    "a row far away": ({"vInfo": _sheet(_HEAD + '<row r="1048576"><c r="A1048576"><v>1</v></c></row>')}, {}, "rows"),
    "too many columns": ({"vInfo": _sheet('<row r="1"><c r="XFD1"><v>1</v></c></row>')}, {}, "columns"),
    "a formula": ({"vInfo": _sheet('<row r="1"><c r="A1"><f>1+1</f><v>2</v></c></row>')}, {}, "formulas"),
    "external links": ({"vInfo": _sheet(_HEAD)}, {"xl/externalLinks/externalLink1.xml": b"<x/>"}, "links"),
    "a macro": ({"vInfo": _sheet(_HEAD)}, {"xl/vbaProject.bin": b"x"}, "macros"),
    "a bomb": ({"vInfo": _sheet(_HEAD)}, {"xl/sharedStrings.xml": b" " * 400_000_000}, "unpacks"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_workbook_is_refused(tmp_path: Path, kind: str) -> None:
    sheets, extra, message = HOSTILE[kind]
    (tmp_path / "hostile.xlsx").write_bytes(workbook(sheets, extra))

    lines = refused(tmp_path / "hostile.xlsx")

    assert any(message in line for line in lines), lines


def test_an_archive_whose_list_lies_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lies.xlsx"
    path.write_bytes(workbook({"vInfo": _sheet(_HEAD)}, {"xl/sharedStrings.xml": b" " * 9_000_000}))
    content = path.read_bytes()
    path.write_bytes(content.replace((9_000_000).to_bytes(4, "little"), (100).to_bytes(4, "little")))
    assert zipfile.is_zipfile(path)

    assert any("damaged" in line for line in refused(path))
