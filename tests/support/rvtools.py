"""Workbooks as RVTools writes them, made without any package: estates of any size, clean and dirty."""

from __future__ import annotations

import io
import random
import uuid
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

Rows = Sequence[Sequence[Any]]
_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>{sheets}</Types>'
)
_SHEET_TYPE = (
    '<Override PartName="/xl/worksheets/sheet{number}.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
)
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_DOC = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def letters(column: int) -> str:
    """Return a column's letters; the first is 0."""
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def sheet_xml(rows: Rows) -> str:
    """Return a sheet: numbers as numbers, truth values as such, everything else as text in place."""
    lines = []
    for number, row in enumerate(rows, start=1):
        cells = []
        for column, value in enumerate(row):
            if value is None or value == "":
                continue
            place = f"{letters(column)}{number}"
            if isinstance(value, bool):
                cells.append(f'<c r="{place}" t="b"><v>{int(value)}</v></c>')
            elif isinstance(value, int | float):
                cells.append(f'<c r="{place}"><v>{value}</v></c>')
            else:
                cells.append(f'<c r="{place}" t="inlineStr"><is><t>{escape(str(value))}</t></is></c>')
        lines.append(f'<row r="{number}">{"".join(cells)}</row>')
    return f'<?xml version="1.0"?><worksheet xmlns="{_MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>'


def workbook(sheets: Mapping[str, Rows | str], extra: Mapping[str, bytes] | None = None) -> bytes:
    """Return a workbook; a sheet given as text is its XML."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        numbers = range(1, len(sheets) + 1)
        archive.writestr(
            "[Content_Types].xml", _TYPES.format(sheets="".join(_SHEET_TYPE.format(number=n) for n in numbers))
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="rId1" Type="{_DOC}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        names = "".join(
            f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="rId{n}"/>'
            for n, name in zip(numbers, sheets, strict=True)
        )
        archive.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_DOC}"><sheets>{names}</sheets></workbook>'
        )
        relations = "".join(
            f'<Relationship Id="rId{n}" Type="{_DOC}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
        )
        archive.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{_PACKAGE}">{relations}</Relationships>')
        for n, rows in zip(numbers, sheets.values(), strict=True):
            archive.writestr(f"xl/worksheets/sheet{n}.xml", rows if isinstance(rows, str) else sheet_xml(rows))
        for name, content in (extra or {}).items():
            archive.writestr(name, content)
    return packed.getvalue()


VCENTER = "5c1b9f0e-7d2a-4d31-9f55-0a1b2c3d4e5f"
VINFO = (
    "VM", "Powerstate", "Template", "SRM Placeholder", "DNS Name", "CPUs", "Memory", "NICs", "Disks", "Network #1",
    "Network #2", "Resource pool", "Folder", "Provisioned MiB", "In Use MiB", "Cluster rule name(s)", "Annotation",
    "App", "Tier", "Stage", "Datacenter", "Cluster", "Host", "OS according to the configuration file", "VM ID",
    "SMBIOS UUID", "VM UUID", "VI SDK Server", "VI SDK UUID",
)  # fmt: skip
TAIL = ("VM ID", "VM UUID", "VI SDK UUID")


@dataclass
class Estate:
    """Made-up VMs in zones of a few segments, as an export shows them."""

    vms: list[dict[str, Any]] = field(default_factory=list)

    def sheets(self) -> dict[str, list[list[Any]]]:
        """Return all tabs that are read, and one that is not."""
        network, disk, partition, snapshot = (
            [["VM", "Powerstate", "NIC label", "Network", "Connected", "Mac Address", *TAIL]],
            [["VM", "Disk", "Disk Path", "Capacity MiB", "Raw", "Sharing mode", "Thin", *TAIL]],
            [["VM", "Disk", "Capacity MiB", "Consumed MiB", *TAIL]],
            [["VM", "Name", "Description", "Size MiB (total)", *TAIL]],
        )
        for number, vm in enumerate(self.vms):
            tail = [vm["VM ID"], vm["VM UUID"], vm["VI SDK UUID"]]
            for card, name in enumerate(vm["networks"]):
                mac = f"00:50:56:{number >> 12 & 255:02x}:{number >> 4 & 255:02x}:{(number & 15) << 4 | card:02x}"
                network.append([vm["VM"], vm["Powerstate"], f"Network adapter {card + 1}", name, True, mac, *tail])
            path = f"[store] {vm['VM']}/{vm['VM']}.vmdk"
            disk.append([vm["VM"], "Hard disk 1", path, vm["Provisioned MiB"], False, "sharingNone", True, *tail])
            partition.append([vm["VM"], "C:", vm["Provisioned MiB"], vm["In Use MiB"], *tail])
            if number % 50 == 0:
                snapshot.append([vm["VM"], "before patch", "monthly", 512, *tail])
        info = [list(VINFO), *([vm.get(name, "") for name in VINFO] for vm in self.vms)]
        ports = sorted({name for vm in self.vms for name in vm["networks"]})
        return {
            "vInfo": info,
            "vNetwork": network,
            "vDisk": disk,
            "vPartition": partition,
            "vSnapshot": snapshot,
            "dvPort": [["Port", "Switch", "VLAN"], *([name, "dvs-1", 100 + n] for n, name in enumerate(ports))],
            "vHost": [["Host", "CPU Model"], ["esx1", "Xeon"]],
        }

    def write(self, path: Path) -> Path:
        """Write the workbook."""
        path.write_bytes(workbook(self.sheets()))
        return path


def estate(vms: int, segments: int, seed: int = 1) -> Estate:
    """Return an estate: applications in zones of a few segments; one in twenty has a foreign segment."""
    stream = random.Random(seed)  # noqa: S311 - made-up inventory
    zones = max(1, segments // 8)
    by_zone = [[f"seg-{one:03d}" for one in range(segments) if one % zones == zone] for zone in range(zones)]
    made, application = Estate(), 0
    while len(made.vms) < vms:
        application += 1
        zone = stream.randrange(zones)
        own = stream.sample(by_zone[zone], min(stream.choice((1, 1, 2, 3)), len(by_zone[zone])))
        if stream.random() < 0.05:
            own.append(f"seg-{stream.randrange(segments):03d}")
        stage = stream.choice(("prod", "prod", "test", "dev"))
        for _ in range(min(stream.choice((1, 2, 4, 6, 10, 14, 20)), vms - len(made.vms))):
            made.vms.append(_vm(len(made.vms), application, own, stage, stream))
    return made


def _vm(number: int, application: int, own: list[str], stage: str, stream: random.Random) -> dict[str, Any]:
    name, used = f"app{application:04d}-{number:05d}", stream.randrange(10, 200) * 1024
    networks = sorted(set(stream.sample(own, min(len(own), 1 + (stream.random() < 0.1)))))
    return {
        "networks": networks,
        **dict(zip(("Network #1", "Network #2"), networks, strict=False)),
        "VM": name, "Powerstate": "poweredOff" if stream.random() < 0.03 else "poweredOn", "Template": False,
        "SRM Placeholder": False, "DNS Name": f"{name}.example.net", "CPUs": 4, "Memory": 8192,
        "NICs": len(networks), "Disks": 1, "Resource pool": "Pool", "Folder": "VMs", "Provisioned MiB": used * 2,
        "In Use MiB": used, "Annotation": "", "App": f"app{application:04d}", "Tier": str(application % 4),
        "Stage": stage, "Datacenter": "DC", "Cluster": "C1", "Host": "esx1",
        "OS according to the configuration file": "Linux", "VM ID": f"vm-{1000 + number}",
        "SMBIOS UUID": str(uuid.UUID(int=stream.getrandbits(128))),
        "VM UUID": str(uuid.UUID(int=stream.getrandbits(128))),
        "VI SDK Server": "vcenter.example.net", "VI SDK UUID": VCENTER,
    }  # fmt: skip


def csv_text(rows: Iterable[Sequence[Any]], delimiter: str = ",") -> str:
    """Return rows as CSV, with quotes where they are needed."""

    def cell(value: Any) -> str:
        text = str(value)
        return f'"{text.replace(chr(34), chr(34) * 2)}"' if any(one in text for one in (delimiter, '"', "\n")) else text

    return "".join(delimiter.join(cell(one) for one in row) + "\r\n" for row in rows)
