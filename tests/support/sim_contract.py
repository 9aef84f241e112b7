"""How the simulator is held to the contract samples: fill one from a living world, send it, look at the answer.

A test file says which samples it replays and how a world is brought to where a sample's precondition holds::

    BOOK = Book(
        ("nsx",), Ground("seed"),
        setups={"connectivity is OFF": turn_off},           # by precondition, or by a sample's id, which wins
        worlds={"over 199 calls at once": Ground(...)},      # scenario and switches, by the same keys
        not_replayed={"nsx.some.sample": "why not"},
    )

    @pytest.mark.parametrize("case", BOOK.cases(), ids=str)
    def test_answer(case: Case, site_server: SiteServer) -> None:
        case.hold(site_server)

    def test_no_sample_is_forgotten() -> None:
        assert BOOK.forgotten() == []

Every case has a world of its own, which costs a few milliseconds. What is compared: status, headers that matter,
content type, the shape (:func:`support.contract.check_answer`), and by value whatever the sample takes from the world
or says in the vendor's own words (:mod:`support.sim_words`). Wording of messages is ours and is not compared.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import requests

from hcx_sim.scenario import load_scenario
from hcx_sim.world.model import SiteName
from support import contract
from support.contract import Sample, System
from support.sim_values import RESOLVERS, SAFE_EXAMPLES, UnresolvedError
from support.sim_words import Comparison
from support.site_pair import SitePair, SiteServer
from support.waiting import HANG_SECONDS

TOKEN = "x-hm-authorization"
HCX_API = "/hybridity/api"
TIMEOUT_SECONDS = HANG_SECONDS
# Members that a faithful answer may lack, and why.
LEFT_OUT = {
    "errors": "findings that are not there are left out [I hcx 4.3]",
    "warnings": "as errors",
    "dhcp_ranges": "only where there is a DHCP server",
    "refresh_token": "an application that logs in has none",
    "rules": "a list of policies may come without",
    "origin": "VMware Tools on Linux report none",
}


@dataclass(frozen=True)
class Ground:
    """How a world is made: a shipped scenario with members added to its lists, and switches per product.

    :param add: members for the scenario's lists ``networks`` and ``vms``.
    :param change: replaces whole members of the scenario document.
    :param settings: switches, ``{"hcx": {"missed_window": "fail"}}``.
    """

    scenario: str = "seed"
    add: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    change: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def document(self, hcx_version: str | None = None) -> dict[str, Any]:
        """The scenario document, for the HCX release given."""
        document = load_scenario(self.scenario).model_dump(mode="json", exclude_unset=True)
        for name, members in self.add.items():
            document[name] = [*document.get(name, []), *members]
        document.update(self.change)
        switches = document.setdefault("settings", {})
        for product, changes in self.settings.items():
            switches[product] = {**switches.get(product, {}), **changes}
        if hcx_version is not None:
            switches["hcx"] = {**switches.get("hcx", {}), "version": hcx_version}
        return document

    def with_settings(self, **settings: Mapping[str, Any]) -> Ground:
        """The same ground with further switches."""
        return Ground(self.scenario, self.add, self.change, {**self.settings, **settings})


class Stage:
    """One world with what a set-up has found or made in it; set-ups may change every attribute.

    :ivar site: whose product is asked.
    :ivar vm: name of the VM that placeholders such as ``vm_id`` stand for; of the first one when it is empty.
    :ivar segment: id of the segment that ``segment_id`` stands for, at the site that is asked.
    :ivar values: values of placeholders that go before what the world says.
    :ivar headers: headers to send instead of those of a fresh log-in.
    :ivar proxied: the NSX manager is asked through the reverse proxy of VMware Cloud.
    """

    def __init__(self, pair: SitePair, sample: Sample) -> None:
        self.pair: SitePair = pair
        self.sample = sample
        self.site: SiteName = SiteName("destination" if sample.side == "destination" else "source")
        self.vm = ""
        self.segment = ""
        self.values: dict[str, str | int] = {}
        self.headers: dict[str, str] = {}
        self.proxied = False

    def value(self, name: str) -> str | int:
        """What a placeholder stands for here; raises :class:`UnresolvedError` when the world has no such thing."""
        if name not in self.values:
            if name in RESOLVERS:
                self.values[name] = RESOLVERS[name](self)
            elif name in SAFE_EXAMPLES:
                self.values[name] = contract.example_values()[name]
            else:
                raise UnresolvedError(name)
        return self.values[name]

    def known(self, template: Any) -> dict[str, str | int]:
        """The placeholders of an answer's template whose values are known before the call."""
        found = {}
        for name in contract.placeholders_in(template):
            try:
                found[name] = self.value(name)
            except UnresolvedError:
                continue
        return found

    def base(self, system: System, path: str = "") -> str:
        """The base URL of a product at this site."""
        if system == "nsx" and self.proxied:
            cloud = self.pair.endpoints["vmc"]
            sddc_id = cloud[f"{self.site}_sddc_id"]
            return f"{cloud['url']}/vmc/reverse-proxy/api/orgs/{cloud['org_id']}/sddcs/{sddc_id}/sks-nsxt-manager"
        return self.pair.url(system, self.site)

    def call(self, method: str, path: str, body: Any = None, *, system: System | None = None) -> requests.Response:
        """Send a request of a set-up, logged in, with a JSON body."""
        product = system or self.sample.system
        prefix = {"hcx": HCX_API, "nsx": "" if path.startswith("/api") else "/policy/api/v1"}.get(product, "")
        headers = {"Accept": "application/json", **self.authorisation(product)}
        url = self.base(product) + prefix + path
        return self.pair.http().request(method, url, json=body, headers=headers, timeout=TIMEOUT_SECONDS)

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """As :meth:`call`, for what has to succeed; returns the JSON, None for an empty body."""
        answer = self.call(method, path, body, **options)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def replay(self, sample_id: str, **values: str | int) -> Any:
        """Send another sample as part of a set-up; returns its JSON. The values count for that call only."""
        kept, self.values = self.values, {**self.values, **values}
        try:
            sample = contract.sample(sample_id)
            answer = self.send(sample)
        finally:
            self.values = kept
        assert answer.status_code == sample.response.status, f"{sample_id}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def authorisation(self, system: System) -> dict[str, str]:
        """Headers of a fresh log-in at a product, or those that a set-up has put down."""
        if self.headers:
            return self.headers
        if system == "hcx":
            return {TOKEN: self.hcx_token()}
        if system == "vmc" or self.proxied:
            return {"csp-auth-token": str(self.value("access_token"))}
        login = self.pair.login(system, self.site)
        return basic(login.username, login.password)

    def hcx_token(self) -> str:
        """Log in at the HCX manager of this site."""
        login = self.pair.login("hcx", self.site)
        body = {"username": login.username, "password": login.password}
        answer = self.pair.http().post(f"{self.base('hcx')}{HCX_API}/sessions", json=body, timeout=TIMEOUT_SECONDS)
        return str(answer.headers[TOKEN])

    def nsx_session(self) -> dict[str, str]:
        """Log in at the NSX manager with a session; returns the two headers that carry it."""
        login = self.pair.login("nsx", self.site)
        form = {"j_username": login.username, "j_password": login.password}
        answer = self.pair.http().post(self.base("nsx") + "/api/session/create", data=form, timeout=TIMEOUT_SECONDS)
        cookie = f"JSESSIONID={answer.cookies['JSESSIONID']}"
        return {"Cookie": cookie, "X-XSRF-TOKEN": answer.headers["X-XSRF-TOKEN"]}

    def send(self, sample: Sample) -> requests.Response:
        """Send the request of a sample: its path, query and body, and no header that it does not name."""
        request = sample.request
        filled = contract.fill(request.model_dump(), {n: self.value(n) for n in contract.placeholders_in(request)})
        headers = self._headers(sample)
        body = filled["body"]
        if request.content_type == "application/x-www-form-urlencoded":
            body = urlencode(body)
        elif body is not None and not isinstance(body, str):
            body = json.dumps(body)
        url = self.base(sample.system) + filled["path"]
        session = self.pair.http()
        session.headers.clear()
        return session.request(
            request.method, url, params=filled["query"], data=body, headers=headers, timeout=TIMEOUT_SECONDS
        )

    def _headers(self, sample: Sample) -> dict[str, str]:
        named = sample.request.headers
        headers: dict[str, str] = {}
        if "Accept" in named:
            headers["Accept"] = "application/json"
        if sample.request.content_type is not None:
            headers["Content-Type"] = sample.request.content_type
        if "Cookie" in named:
            return {**headers, **(self.headers or self.nsx_session())}
        if sample.system == "csp" and "Authorization" in named:
            app = self.pair.credentials
            return {**headers, **basic(app.oauth_client_id, app.oauth_client_secret)}
        carriers = {TOKEN, "csp-auth-token|Authorization", "Authorization"}
        return {**headers, **self.authorisation(sample.system)} if carriers & set(named) else headers


def basic(user: str, password: str) -> dict[str, str]:
    """The header of HTTP Basic."""
    request = requests.Request("GET", "https://any.example", auth=(user, password)).prepare()
    return {"Authorization": str(request.headers["Authorization"])}


Setup = Callable[[Stage], object]


@dataclass(frozen=True)
class Case:
    """One sample in one kind of world."""

    sample: Sample
    ground: Ground
    setup: Setup | None = None
    hcx_version: str | None = None
    proxied: bool = False
    site: SiteName | None = None
    loose: frozenset[str] = frozenset()

    def __str__(self) -> str:
        marks = (self.hcx_version, self.site, "proxy" if self.proxied else None)
        return "-".join([self.sample.id, *(str(mark) for mark in marks if mark)])

    @contextmanager
    def stage(self, server: SiteServer) -> Iterator[Stage]:
        """The world of this case, brought to where its precondition holds."""
        pair = server.make_world(scenario=self.ground.document(self.hcx_version))
        try:
            stage = Stage(pair, self.sample)
            stage.proxied = self.proxied
            stage.site = self.site or stage.site
            if self.setup is not None:
                self.setup(stage)
            yield stage
            pair.assert_no_bugs()
        finally:
            server.drop(pair)

    def hold(self, server: SiteServer) -> None:
        """Replay the sample and compare the answer; the audit must show the call under the sample's own name."""
        with self.stage(server) as stage:
            known = stage.known(self.sample.response.body)
            mark = stage.pair.mark()
            answer = stage.send(self.sample)
            problems = answer_problems(self.sample, answer, known, self.loose)
            assert not problems, f"{'; '.join(problems)}\n{answer.status_code} {answer.text[:2000]}"
            names = {entry["data"]["operation"] for entry in stage.pair.calls(after=mark)}
            assert self.sample.call in {name.removesuffix(".slash") for name in names}, names


def answer_problems(
    sample: Sample, answer: requests.Response, known: Mapping[str, str | int], loose: frozenset[str] = frozenset()
) -> list[str]:
    """What is wrong with an answer, one line each."""
    expected = sample.response
    problems = []
    if answer.status_code != expected.status:
        problems.append(f"status {answer.status_code} instead of {expected.status}")
    problems += [f"header {name} missing" for name in expected.headers if name not in answer.headers]
    content_type = answer.headers.get("Content-Type", "")
    if expected.body is None:
        return problems + ([f"body {answer.text!r} where none is expected"] if answer.content else [])
    if not content_type.startswith(str(expected.content_type)):
        return [*problems, f"content type {content_type!r} instead of {expected.content_type}"]
    if isinstance(expected.body, str):
        return problems + ([] if answer.text.strip() else ["no text in the body"])
    return problems + body_problems(sample, answer.json(), known, loose)


def body_problems(
    sample: Sample, body: Any, known: Mapping[str, str | int], loose: frozenset[str] = frozenset()
) -> list[str]:
    """What is wrong with the JSON of an answer: its shape, and whatever is compared by value."""
    filled = sample.filled({**contract.example_values(), **known})
    problems = contract.check_answer(filled, body)
    problems += unserved(sample, body) if sample.response.status < 400 else []
    return problems + Comparison(sample, known, loose).differences(body)


def unserved(sample: Sample, body: Any) -> list[str]:
    """Members that a sample shows and an answer lacks, one line each: the simulator serves all that is documented.

    What a sample marks as optional may be absent at a real manager; here it is there, as clients that were written
    against one may read it. Lists and objects that are empty show nothing.
    """
    shown = set(contract.field_paths(sample.response.body))
    there = set(contract.every_path(body))
    absent = sorted(shown - there)
    first = [path for path in absent if not any(contract.is_below(path, above) for above in absent)]
    wanted = [path for path in first if path.rpartition(".")[2] not in LEFT_OUT and not _is_empty_above(body, path)]
    return [f"{path}: documented, and not served" for path in wanted]


def _is_empty_above(body: Any, path: str) -> bool:
    """Whether a list on the way to a member is empty, so that the member has no place."""
    steps = [step for step in path.replace("[]", ".[]").split(".") if step]
    values = [body]
    for step in steps:
        found: list[Any] = []
        for value in values:
            if step == "[]":
                if value == []:
                    return True
                found += value if isinstance(value, list) else []
            elif isinstance(value, dict) and step in value:
                found.append(value[step])
        values = found
    return False


@dataclass(frozen=True)
class Book:
    """All samples of one test file, and how each of them is replayed.

    :param only: picks samples of the systems by their id.
    :param ground: the world where nothing else is said; or a function of the sample.
    :param setups: by sample id or precondition.
    :param worlds: other grounds, by sample id or precondition.
    :param not_replayed: reasons by sample id.
    :param loose: dotted paths, by sample id, whose values are not compared, only their types.
    :param expand: makes several cases of one, for HCX releases and ways to an NSX manager.
    """

    systems: tuple[System, ...]
    ground: Ground | Callable[[Sample], Ground]
    setups: Mapping[str, Setup]
    worlds: Mapping[str, Ground] = field(default_factory=dict)
    not_replayed: Mapping[str, str] = field(default_factory=dict)
    loose: Mapping[str, frozenset[str]] = field(default_factory=dict)
    only: Callable[[str], bool] = bool
    expand: Callable[[Case], list[Case]] = field(default=lambda case: [case])

    def samples(self) -> list[Sample]:
        """The samples that belong here."""
        return [s for s in contract.load_samples() if s.system in self.systems and self.only(s.id)]

    def cases(self) -> list[Case]:
        """Every case of every sample that is replayed."""
        replayed = [s for s in self.samples() if s.id not in self.not_replayed and self._has_setup(s)]
        return [case for sample in replayed for case in self.expand(self._case(sample))]

    def _has_setup(self, sample: Sample) -> bool:
        return sample.precondition is None or sample.id in self.setups or sample.precondition in self.setups

    def _case(self, sample: Sample) -> Case:
        precondition = sample.precondition or ""
        usual = self.ground if isinstance(self.ground, Ground) else self.ground(sample)
        ground = self.worlds.get(sample.id) or self.worlds.get(precondition) or usual
        setup = self.setups.get(sample.id) or self.setups.get(precondition)
        return Case(sample, ground, setup, loose=self.loose.get(sample.id, frozenset()))

    def forgotten(self) -> list[str]:
        """Samples that are neither replayed nor listed, and entries of the tables that are about nothing."""
        samples = self.samples()
        keys = {s.id for s in samples} | {s.precondition for s in samples}
        problems = [
            f"{s.id}: no set-up for {s.precondition!r}, and not listed"
            for s in samples
            if s.id not in self.not_replayed and not self._has_setup(s)
        ]
        tables = {"setups": self.setups, "worlds": self.worlds, "not_replayed": self.not_replayed, "loose": self.loose}
        problems += [f"{name}: {key!r} is no sample" for name, table in tables.items() for key in set(table) - keys]
        core = {(c.system, c.call) for c in contract.load_calls() if c.scope == "core"}
        problems += [
            f"{s.id}: a core call has to be replayed"
            for s in samples
            if s.id in self.not_replayed and (s.system, s.call) in core
        ]
        return sorted(problems)
