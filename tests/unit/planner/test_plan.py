"""A plan keeps every hard rule, has every VM once, is short, and is the same for the same input."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hcx_waves.planner import NoPlanError, load_plan, make_plan, plan_schema_text, plan_text, wave_files
from hcx_waves.planner.board import Board
from hcx_waves.planner.building import build, rule_ids
from hcx_waves.planner.conflicts import conflict
from hcx_waves.planner.figures import violations
from hcx_waves.planner.greedy import greedy
from hcx_waves.planner.search import first_plan
from hcx_waves.wavefile.sets import load_folder
from support.plan_oracle import broken_rules, inventory, rules, vm

ROOT = Path(__file__).parents[3]
FIRST = date(2027, 1, 9)
NETWORKS = [f"net-{number}" for number in range(6)]


@st.composite
def estates(draw: st.DrawFn) -> Any:
    """Return an inventory and rules that may or may not be possible."""
    count = draw(st.integers(2, 24))
    names = [f"vm-{number:02d}" for number in range(count)]
    vms = [
        vm(
            name,
            *draw(st.sets(st.sampled_from(NETWORKS), max_size=2)),
            gib=draw(st.integers(1, 60)),
            application=draw(st.sampled_from([None, "A", "B", "C", "D"])),
            disk=draw(st.sampled_from(["", "", "", "", "[s] shared.vmdk"])),
        )
        for name in names
    ]
    pair = st.lists(st.sampled_from(names), min_size=2, max_size=2, unique=True)
    nights = st.integers(0, 6).map(lambda week: (FIRST + timedelta(weeks=week)).isoformat())
    wanted = {
        "limits": {
            "vms": draw(st.integers(3, 12)),
            "gib": draw(st.sampled_from([100, 300, 2000])),
            "slots": draw(st.integers(2, 6)),
            "days_stretched": draw(st.sampled_from([None, None, 22])),
        },
        "pilots": {"waves": draw(st.integers(0, 1)), "vms": 3},
        "together": draw(st.lists(pair, max_size=1)),
        "apart": draw(st.lists(pair, max_size=2)),
        "after": [{"first": [a], "then": [b]} for a, b in draw(st.lists(pair, max_size=2))],
        "pins": [
            {
                "members": [draw(st.sampled_from(names))],
                draw(st.sampled_from(["not_before", "not_after"])): draw(nights),
            }
            for _ in range(draw(st.integers(0, 2)))
        ],
        "stays": [{"members": [names[0]], "reason": "A router."}] if draw(st.booleans()) else [],
    }
    if draw(st.booleans()):
        wanted["nights"] = {"until": (FIRST + timedelta(weeks=draw(st.integers(2, 12)))).isoformat()}
    flows = tuple(tuple(one) for one in draw(st.lists(pair, max_size=6)))
    return inventory(*vms, flows=flows), rules(**wanted)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(estates(), st.integers(0, 3))
def test_no_plan_breaks_a_hard_rule(estate: Any, seed: int) -> None:
    known, wanted = estate
    try:
        plan = make_plan(known, wanted, seconds=0.02, seed=seed)
    except NoPlanError as error:
        found = error.rules or ["no plan, and no reason"]
        broken = [rule for rule in found if rule not in rule_ids(wanted)]
    else:
        broken = broken_rules(plan, known)

    assert broken == []


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(estates())
def test_conflicting_rules_are_the_fewest(estate: Any) -> None:
    known, wanted = estate
    found = conflict(known, wanted)
    if not found:
        return
    ids = frozenset(rule_ids(wanted))

    for rule in found:
        planning = build(known, wanted, without=ids - (frozenset(found) - {rule}))
        board = first_plan(planning.problem)
        assert planning.broken == []
        assert (violations(board), min(board.night) >= 0) == ([], True)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(estates(), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=40))
def test_costs_stay_true_while_atoms_are_moved(estate: Any, moves: list[tuple[int, int]]) -> None:
    problem = build(*estate).problem
    board = greedy(problem)
    for atom, night in moves:
        chosen = atom % len(problem.atoms)
        if board.night[chosen] < 0:
            continue
        board.take(chosen)
        board.put(chosen, night % len(problem.nights))

    fresh = Board(problem, board.night)
    assert (board.cost, board.open, board.spans) == (fresh.cost, fresh.open, fresh.spans)


def chained(count: int = 12, each: int = 5) -> Any:
    """Return applications in a chain of networks, in an order that hides the chain."""
    order = [7, 2, 9, 4, 0, 11, 5, 1, 8, 3, 10, 6][:count]
    return inventory(
        *(
            vm(f"a{place:02d}-{number}", f"net-{link:02d}", f"net-{link + 1:02d}", application=f"a{place:02d}")
            for place, link in enumerate(order)
            for number in range(each)
        )
    )


def test_networks_are_extended_for_a_short_time() -> None:
    plan = make_plan(chained(), rules(limits={"vms": 10}), seconds=1)

    # Six waves of two links each: every second network is needed in two neighbouring waves, the others in one.
    assert plan.figures.waves == 6
    assert plan.figures.plain_days == 8 * 1 + 5 * 8
    assert plan.figures.plain_days < plan.compared["biggest application first"].plain_days / 2


def test_the_same_input_makes_the_same_plan() -> None:
    texts = {plan_text(make_plan(chained(), rules(limits={"vms": 10}), seconds=0.2, seed=4)) for _ in range(2)}

    assert len(texts) == 1


def test_the_wave_files_are_valid_and_chained(tmp_path: Path) -> None:
    plan = make_plan(
        chained(), rules(limits={"vms": 10}, stays=[{"members": ["a00-0"], "reason": "A router."}]), seconds=0.2
    )
    for name, text in wave_files(plan).items():
        (tmp_path / name).write_text(text, encoding="utf-8")

    found = load_folder(tmp_path)

    assert (found.problems, found.conflicts) == ((), ())
    assert len(found.files) == plan.figures.waves
    cut = [segment.name for file in found.files for segment in file.wave.segments_to_cut]
    assert sorted(cut) == [one.name for one in plan.networks if one.last_wave]
    assert [one.held_by for one in plan.networks if not one.last_wave] == [("a00-0",), ("a00-0",)]
    assert [(one.name, one.reason) for one in plan.not_planned] == [("a00-0", "stays: A router.")]


@pytest.mark.parametrize("first", ["2026-10-24", "2027-03-27", "2026-10-25"])
def test_nights_of_changed_clocks_are_valid(tmp_path: Path, first: str) -> None:
    plan = make_plan(
        chained(2),
        rules(nights={"first": first, "every": "1d", "opens": "21:30", "lasts": "5h"}, limits={"vms": 5}),
        seconds=0,
    )
    for name, text in wave_files(plan).items():
        (tmp_path / name).write_text(text, encoding="utf-8")

    found = load_folder(tmp_path)

    assert (found.problems, found.conflicts) == ((), ())


def test_the_document_keeps_its_schema_and_can_be_read_again(tmp_path: Path) -> None:
    plan = make_plan(chained(4), rules(limits={"vms": 10}), seconds=0)
    path = tmp_path / "plan.json"
    path.write_text(plan_text(plan), encoding="utf-8")

    assert load_plan(path) == plan
    jsonschema.validate(json.loads(plan_text(plan)), json.loads(plan_schema_text()))
    text = (ROOT / "docs" / "plan.schema.json").read_text(encoding="utf-8")
    assert text == plan_schema_text(), "write plan_schema_text() to docs/plan.schema.json"


def conflicts_of(known: Any, **changes: Any) -> set[str]:
    with pytest.raises(NoPlanError) as error:
        make_plan(known, rules(**changes), seconds=0)
    return set(error.value.rules)


def test_what_conflicts_is_said_and_nothing_else() -> None:
    known = inventory(vm("a", "n1"), vm("b", "n1"), vm("c", "n2"))
    idle = {"pins": [{"members": ["c"], "not_before": "2027-01-10"}]}

    assert conflicts_of(known, together=[["a", "b"]], apart=[["b", "c"], ["a", "b"]], **idle) == {
        "together[0]",
        "apart[1]",
    }


def test_a_chain_of_rules_is_shown_whole() -> None:
    known = inventory(*(vm(name, "n1") for name in "abcd"))

    found = conflicts_of(known, together=[["a", "b"], ["b", "c"], ["a", "d"]], apart=[["a", "c"]])

    assert found == {"together[0]", "together[1]", "apart[0]"}


def test_too_few_nights_conflict_with_the_size_of_waves() -> None:
    known = inventory(*(vm(f"vm-{number}", "n1") for number in range(9)))

    found = conflicts_of(known, limits={"vms": 3}, nights={"until": "2027-01-16"}, apart=[["vm-1", "vm-2"]])

    assert found == {"limits.vms", "nights.until"}


def test_a_freeze_that_takes_the_last_night_is_named() -> None:
    known = inventory(vm("a", "n1"))
    freeze = {"first": "2027-01-08", "last": "2027-01-20", "reason": "Year-end closing."}

    assert conflicts_of(known, nights={"until": "2027-01-20"}, freezes=[freeze]) == {"nights.until", "freezes[0]"}


def test_orders_that_contradict_each_other() -> None:
    known = inventory(vm("a", "n1"), vm("b", "n2"), vm("c", "n3"))
    orders = [{"first": ["a"], "then": ["b"]}, {"first": ["b"], "then": ["a"]}, {"first": ["c"], "then": ["a"]}]

    assert conflicts_of(known, after=orders) == {"after[0]", "after[1]"}


def test_too_few_slots() -> None:
    known = inventory(vm("a", "n1", "n2", "n3"))

    assert conflicts_of(known, limits={"slots": 2}) == {"limits.slots"}
