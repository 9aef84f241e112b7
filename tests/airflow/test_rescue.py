"""``hcx-waves rescue`` after the tasks of a run have come so far and no further: the scheduler is away."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from hcx_airflow import names, results, seal
from hcx_airflow.results import Slot
from hcx_waves.cli import main
from hcx_waves.clients.hcx import HcxClient
from hcx_waves.clients.nsx import Connectivity
from hcx_waves.migration.intents import intents_of
from hcx_waves.model.plan import WavePlan
from hcx_waves.procedure_errors import SubmissionLostError
from hcx_waves.report.files import read_report
from hcx_waves.rescue import ledgers
from support.airflow_tasks import AirflowRun
from support.procedures import sites_of
from support.wave_tasks import WaveTasks

pytestmark = pytest.mark.world(mode="scaled", speed=600.0)
SEGMENT = "seed-net"


class Phone:
    """The person on call, with a shell on a worker."""

    def __init__(self, pair: Any, folder: Path) -> None:
        self.pair, self.folder = pair, folder
        self.endpoints = folder / "endpoints.json"
        self.endpoints.write_text(json.dumps(pair.endpoints))

    def call(self, *arguments: str, answer: str = "", wave: str = "") -> Result:
        target = wave or str(self.folder / "waves" / "seed-wave.yaml")
        given = ["rescue", target, *arguments, "--endpoints", str(self.endpoints)]
        return CliRunner().invoke(main, given, input=answer)

    def look(self, *arguments: str) -> Any:
        return json.loads(self.call("--json", *arguments).stdout)

    def state(self, *arguments: str) -> str:
        [segment] = self.look(*arguments)["segments"]
        return str(segment["state"])

    def facts(self) -> Any:
        return self.pair.oracle()["segments"][SEGMENT]

    def audit(self, run_id: str = "manual__1") -> list[Any]:
        stem = f"{run_id}.rescue" if run_id else "rescue"
        path = self.folder / "reports" / "seed-wave" / f"{stem}.jsonl"
        assert path.stat().st_mode & 0o777 == 0o600
        return [json.loads(line) for line in path.read_text().splitlines()]

    def sent(self, mark: int) -> list[str]:
        """The changing calls that came in since a mark, without log-ins."""
        calls = [call["data"] for call in self.pair.calls(after=mark)]
        changing = ("segments.patch", "l2_extensions.delete", "migrations.cancel", "forceCancel", "force_cancel")
        return [one["operation"] for one in calls if any(part in one["operation"] for part in changing)]


@pytest.fixture
def tasks(airflow_run: AirflowRun) -> WaveTasks:
    airflow_run.params = {"poll_interval_seconds": 1}
    return WaveTasks(airflow_run)


@pytest.fixture
def phone(airflow_run: AirflowRun, site_pair: Any, tmp_path: Path) -> Phone:
    assert airflow_run.bundle == tmp_path
    return Phone(site_pair, tmp_path)


@pytest.fixture
def cut(tasks: WaveTasks) -> WaveTasks:
    """The outage runs: the source gateway is off, and HCX has not been asked to unextend."""
    tasks.do("resolve_plan", "approve_wave", "start_migrations", "await_migrations", "evaluate_migrations")
    tasks.do("verify_virtual_machines", "prove_segment_empty", "approve_cutover", "disconnect_source_segment")
    return tasks


def unextended_without_connect(cut: WaveTasks, pair: Any) -> None:
    """Unextend; the extension is gone, and HCX fails to connect the destination."""
    pair.fault(product="engine", call="extension.connect", behaviour="fail", message="edge says no")
    cut.do("unextend_network", "await_unextended")


def set_destination(pair: Any, connectivity: Connectivity) -> None:
    with sites_of(pair) as clients:
        path = next(one.path for one in clients.destination_nsx.segments() if SEGMENT in one.display_name)
        clients.destination_nsx.set_connectivity(clients.destination_nsx.segment(path), connectivity)
    pair.advance(10)


def test_an_outage_is_found_and_ended_at_the_source(cut: WaveTasks, phone: Phone) -> None:
    looked = phone.call()
    assert looked.exit_code == 1
    assert "OFF: source off, unextend not asked" in looked.stdout
    assert "press: reconnect-source" in looked.stdout
    assert "record of the run" in looked.stdout
    assert "run manual__1, by the run's plan" in looked.stdout
    assert "the last task to begin was cutover_seed-net.disconnect_source_segment" in looked.stdout

    mark = phone.pair.mark()
    declined = phone.call("reconnect-source", answer="n\n")
    assert (declined.exit_code, phone.sent(mark)) == (1, [])
    assert "seed-net: will: switch the source gateway on again" in declined.stdout
    assert "Nothing was sent" in declined.stdout
    assert phone.call("reconnect-source").exit_code == 1, "nobody has answered"
    assert phone.sent(mark) == []

    done = phone.call("reconnect-source", answer="y\n")
    assert done.exit_code == 0, done.output
    assert "done: seed-net: the source gateway is on again" in done.stdout
    [outage] = phone.facts()["outage"]
    assert outage["to"] is not None
    assert (phone.facts()["two_gateways"], len(phone.sent(mark))) == ([], 1)
    assert phone.call().exit_code == 0
    assert "nothing that it would be for" in phone.call("reconnect-source", "--yes").stdout
    assert "the source gateway is on" in phone.call("reconnect-source", "--yes", "--segment", SEGMENT).stdout
    assert len(phone.sent(mark)) == 1


def test_the_audit_tells_all_and_the_report_takes_it_in(cut: WaveTasks, phone: Phone) -> None:
    phone.call("reconnect-source", answer="n\n")
    assert phone.call("reconnect-source", "--yes").exit_code == 0
    lines = phone.audit()
    assert [line["step"] for line in lines] == [
        "looked", "answered", "looked", "answered", "acting", "done", "read_back",
    ]  # fmt: skip
    assert [line["text"] for line in lines if line["step"] == "answered"] == ["no", "yes, by --yes"]
    assert lines[2]["found"]["segments"][0]["state"] == "source_off"
    assert lines[6]["found"]["segments"][0]["state"] == "at_source"
    assert {line["run_id"] for line in lines} == {"manual__1"}
    assert all(line["who"] for line in lines)
    report = read_report(Path(cut.do("write_report")["json"]))
    [event] = [one for one in report.timeline if one.what.startswith("rescue")]
    assert event.what == "rescue, reconnect-source: the source gateway is on again"
    assert (event.subject, event.by) == (SEGMENT, lines[5]["who"])


def test_no_secret_in_output_and_audit(cut: WaveTasks, phone: Phone) -> None:
    said = phone.call().output + phone.call("reconnect-source", "--yes").output + phone.call("--json").output
    written = "".join(path.read_text() for path in phone.folder.glob("reports/**/*.jsonl"))
    logins = [one for site in ("source", "destination") for one in phone.pair.endpoints[site].values()]
    secrets = {one["password"] for one in logins if isinstance(one, dict)} | {
        phone.pair.endpoints["vmc"]["refresh_token"]
    }
    assert len(secrets) >= 3
    assert written
    assert not any(secret in text for secret in secrets for text in (said, written))


@pytest.mark.parametrize("known", ["plan", "ledger", "nothing"])
def test_a_connect_that_failed_is_repaired_at_the_destination(
    cut: WaveTasks, phone: Phone, known: str, tmp_path: Path
) -> None:
    unextended_without_connect(cut, phone.pair)
    where: Sequence[str] = ()
    if known == "ledger":
        for path in (tmp_path / "state" / "plans").rglob("*.json"):
            path.unlink()
    elif known == "nothing":
        where = ("--state", str(tmp_path / "empty"))
    looked = phone.call(*where)
    assert "OFF: extension gone, destination off" in looked.stdout, looked.output
    assert "press: connect-destination" in looked.stdout
    assert ("edge says no" in looked.stdout) is (known != "nothing")

    mark = phone.pair.mark()
    refused = phone.call("reconnect-source", "--yes", *where)
    assert (refused.exit_code, phone.sent(mark)) == (1, [])
    assert "no longer reaches the VMs. Press: connect-destination" in refused.stdout
    done = phone.call("connect-destination", *where, answer="y\n")
    assert done.exit_code == 0, done.output
    assert "routed at the destination" in done.stdout
    facts = phone.facts()
    assert (facts["two_gateways"], len(facts["outage"]), len(phone.sent(mark))) == ([], 1, 1)
    assert facts["outage"][0]["to"] is not None
    assert phone.audit("" if known == "nothing" else "manual__1")[-1]["step"] == "read_back"


def test_an_unextend_under_way_is_left_alone_and_one_that_hangs_is_connected(cut: WaveTasks, phone: Phone) -> None:
    phone.pair.fault(product="engine", call="extension.unextend", behaviour="stall")
    cut.do("unextend_network")
    mark = phone.pair.mark()
    looked = phone.call()
    assert "OFF: HCX has accepted the unextend" in looked.stdout
    assert ": running" in looked.stdout
    for decided in ((), ("--decided-by", "bob")):
        refused = phone.call("reconnect-source", "--yes", *decided)
        assert refused.exit_code == 1
        assert "may connect the destination at any moment. Press: look again" in refused.stdout
    refused = phone.call("connect-destination", "--yes")
    assert "the network is still extended" in refused.stdout
    assert phone.sent(mark) == []
    done = phone.call("connect-destination", "--while-extended", "--yes")
    assert done.exit_code == 0, done.output
    assert phone.facts()["two_gateways"] == []
    assert phone.state() == "at_destination"


def test_an_unextend_that_failed_leads_back(cut: WaveTasks, phone: Phone) -> None:
    phone.pair.fault(product="engine", call="extension.unextend", behaviour="fail", message="appliance is down")
    cut.do("unextend_network", "await_unextended")
    assert "appliance is down" in phone.call().stdout
    assert phone.state() == "unextend_failed"
    assert phone.call("reconnect-source", "--yes").exit_code == 0
    assert (phone.facts()["two_gateways"], phone.state()) == ([], "at_source")


def test_without_a_record_a_named_person_decides(cut: WaveTasks, phone: Phone, tmp_path: Path) -> None:
    where = ("--state", str(tmp_path / "empty"))
    mark = phone.pair.mark()
    refused = phone.call("reconnect-source", "--yes", *where)
    assert (refused.exit_code, phone.sent(mark)) == (1, [])
    assert "no record on this machine says whether HCX was asked" in refused.stdout
    assert "--decided-by NAME" in refused.stdout
    assert phone.state(*where) == "source_off_unrecorded"
    assert phone.call("reconnect-source", "--yes", "--decided-by", "bob", *where).exit_code == 0
    assert phone.facts()["two_gateways"] == []
    assert [line["decided_by"] for line in phone.audit("") if line["step"] == "done"] == ["bob"]
    report = read_report(Path(cut.do("write_report")["json"]))
    assert any((one.what[:6], one.by) == ("rescue", "bob") for one in report.timeline)


def test_a_damaged_ledger_is_no_proof_that_nothing_was_asked(cut: WaveTasks, phone: Phone, tmp_path: Path) -> None:
    [ledger] = (tmp_path / "state" / "ledger").glob("*.jsonl")
    with ledger.open("a") as file:
        file.write('{"kind": "left", "dag_id": "seed-w')
    assert phone.state() == "source_off_unrecorded"
    assert "lines that cannot be read" in phone.call().stdout


def test_two_gateways_are_named_and_nothing_is_pressed(cut: WaveTasks, phone: Phone) -> None:
    assert phone.call("reconnect-source", "--yes").exit_code == 0
    set_destination(phone.pair, Connectivity.ON)
    mark = phone.pair.mark()
    looked = phone.call()
    assert looked.exit_code == 1
    assert "TWO GATEWAYS" in looked.stdout
    assert "at which site the VMs are" in looked.stdout
    for action in ("reconnect-source", "connect-destination"):
        refused = phone.call(action, "--yes", "--while-extended", "--decided-by", "bob")
        assert refused.exit_code == 1
        assert "both gateways are on, or may be" in refused.stdout
    assert phone.sent(mark) == []


@pytest.mark.parametrize(("product", "call"), [("hcx", "l2_extensions.list"), ("nsx", "fixed_segments.get")])
def test_what_cannot_be_read_is_unknown_and_refused(cut: WaveTasks, phone: Phone, product: str, call: str) -> None:
    phone.pair.fault(product=product, call=call, behaviour="status", status=500)
    mark = phone.pair.mark()
    looked = phone.call()
    assert looked.exit_code == 1
    assert "seed-net: UNKNOWN" in looked.stdout, looked.output
    assert "HTTP 500" in looked.stdout
    for action in ("reconnect-source", "connect-destination"):
        refused = phone.call(action, "--yes", "--while-extended", "--decided-by", "bob")
        assert refused.exit_code == 1
        assert "it is not known how it stands" in refused.stdout
    assert phone.sent(mark) == []


def test_accounts_that_are_refused_end_it_with_a_sentence(cut: WaveTasks, phone: Phone) -> None:
    document = json.loads(json.dumps(phone.pair.endpoints))
    document["vmc"]["refresh_token"] = "not-the-token"
    phone.endpoints.write_text(json.dumps(document))
    refused = phone.call("reconnect-source", "--yes")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "the token was refused" in refused.stderr
    assert "not-the-token" not in refused.stderr


def test_what_has_changed_since_the_question_is_not_done(
    cut: WaveTasks, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(*_: Any, **__: Any) -> bool:
        set_destination(phone.pair, Connectivity.ON)
        return True

    monkeypatch.setattr(typer, "confirm", answer)
    mark = phone.pair.mark()
    late = phone.call("reconnect-source")
    assert late.exit_code == 1
    assert "FAILED: seed-net: the situation has changed" in late.stdout
    assert len(phone.sent(mark)) == 1, "that of the other one"
    assert phone.facts()["two_gateways"] == []


def test_what_the_run_has_recorded_since_the_question_is_gone_by(
    cut: WaveTasks, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone.pair.fault(product="hcx", call="l2_extensions.delete", behaviour="reset_before")

    def answer(*_: Any, **__: Any) -> bool:
        with pytest.raises(SubmissionLostError):
            cut.run.execute_once(cut.make("unextend_network"))
        return True

    monkeypatch.setattr(typer, "confirm", answer)
    mark = phone.pair.mark()
    late = phone.call("reconnect-source")
    assert late.exit_code == 1
    assert "the situation has changed: HCX has accepted the unextend" in late.stdout
    assert not [one for one in phone.sent(mark) if "segments" in one]


def test_without_an_audit_nothing_is_sent(cut: WaveTasks, phone: Phone, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    mark = phone.pair.mark()
    refused = phone.call("reconnect-source", "--yes", "--reports", str(tmp_path / "file"))
    assert (refused.exit_code, phone.sent(mark)) == (2, [])
    assert "give --reports FOLDER" in refused.stderr
    looked = phone.call("--reports", str(tmp_path / "file"))
    assert "press: reconnect-source" in looked.stdout


def foreign(pair: Any, plan: WavePlan, vm: str) -> str:
    """Let somebody else start a migration of a VM; return its id."""
    with sites_of(pair) as clients:
        hcx: HcxClient = clients.hcx
        from hcx_waves.clients.hcx import GroupDraft

        group = hcx.create_group(GroupDraft("somebody-else", [intents_of(plan)[vm]]))
        hcx.start_groups([group.group_id])
        [migration] = hcx.query_migrations(group_ids=[group.group_id])
    return migration.migration_id


@pytest.mark.world(mode="scaled", speed=20.0)
@pytest.mark.parametrize("with_records", [True, False])
def test_cancel_takes_what_this_wave_has_started_and_nothing_else(
    tasks: WaveTasks, phone: Phone, tmp_path: Path, with_records: bool
) -> None:
    where = () if with_records else ("--state", str(tmp_path / "empty"))
    tasks.run.params = {**tasks.run.params, "vms": ["web01", "web02"]}
    tasks.do("resolve_plan", "approve_wave", "start_migrations")
    plan = WavePlan.model_validate(tasks.left("resolve_plan"))
    theirs = foreign(phone.pair, plan, "db01")
    one = phone.call("cancel", "--vm", "web01", *where, answer="y\n")
    assert one.exit_code == 0, one.output
    assert "web01: will: cancel migration" in one.stdout
    assert "web02" not in [line["subject"] for line in phone.audit("" if where else "manual__1") if "subject" in line]
    rest = phone.call("cancel", "--yes", *where)
    assert rest.exit_code == 1, "one of them must not be cancelled"
    assert "somebody-else, which is not this wave's" in rest.stdout
    states = {vm["name"]: vm for vm in phone.look(*where)["vms"]}
    assert (states["db01"]["migration_id"], states["db01"]["in_flight"], states["db01"]["is_own"]) == (
        theirs, True, False,
    )  # fmt: skip
    assert [states[name]["phase"] for name in ("web01", "web02")] == ["cancelled", "cancelled"]
    assert states["web01"]["is_recorded"] is with_records
    assert phone.call("cancel", "--vm", "db01", "--force", "--yes", *where).exit_code == 1


def test_a_run_is_found_by_its_id_and_a_wave_by_its_name(
    cut: WaveTasks, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = ("--waves", str(phone.folder / "waves"))
    for target in ("manual__1", "seed-wave"):
        assert "press: reconnect-source" in phone.call(*folder, wave=target).stdout
    missing = phone.call(*folder, wave="manual__2")
    assert missing.exit_code == 2
    assert "no plan of a run of that id" in missing.stderr
    assert phone.call("reconnect-source", "--yes", "--segment", "sed-net").exit_code == 1
    assert phone.call("reconnect-source", "--json").exit_code == 2
    assert phone.call("--plan", str(phone.endpoints)).exit_code == 2


def test_the_json_of_an_action_says_what_was_found_done_and_read_back(cut: WaveTasks, phone: Phone) -> None:
    body = json.loads(phone.call("reconnect-source", "--yes", "--json").stdout)
    assert [one["state"] for one in body["found"]["segments"]] == ["source_off"]
    assert [one["done"] for one in body["outcomes"]] == [True]
    assert [one["state"] for one in body["after"]["segments"]] == ["at_source"]
    assert body["press"] == {SEGMENT: "nothing"}


def test_the_core_reads_the_ledger_by_the_names_that_airflow_writes() -> None:
    assert (ledgers.GROUP_PREFIX, ledgers.SEAL, ledgers.VALUE) == (names.CUTOVER_GROUP_PREFIX, seal.SEAL, seal.VALUE)
    assert (ledgers.SNAPSHOT, ledgers.REMOVAL, ledgers.STARTED) == (names.SNAPSHOT, names.REMOVAL, names.STARTED)
    assert names.ACTING_SINCE.endswith(ledgers.SINCE_SUFFIX)
    kept = [slot for slot in vars(results).values() if isinstance(slot, Slot) and slot.kept]
    assert len({slot.key for slot in kept}) == len(kept) > 3, "a key alone tells which it is"
