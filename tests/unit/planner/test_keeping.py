"""A plan survives edits and a new inventory, and answers questions."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from hcx_waves.inventory.model import InventoryDocument
from hcx_waves.planner import PlanDocument, make_plan
from hcx_waves.planner.asking import NotInPlanError, changed_rules, compare_plans, explain
from hcx_waves.planner.keeping import MovesError, keep_plan, plan_csv, read_moves
from hcx_waves.planner.picture import plan_picture
from support.plan_oracle import inventory, rules, vm

WANTED = rules(limits={"vms": 4})


def known() -> InventoryDocument:
    return inventory(
        *(vm(f"{app}-{number}", f"net-{app}", "net-all", application=app) for app in "abcd" for number in range(3))
    )


@pytest.fixture(scope="module")
def plan() -> PlanDocument:
    return make_plan(known(), WANTED, seconds=0.05)


def wave_of(plan: PlanDocument, key: str) -> str:
    return next(wave.name for wave in plan.waves for one in wave.members if one.key == key)


def test_an_unchanged_plan_stays_as_it_is(plan: PlanDocument) -> None:
    kept = keep_plan(plan, known(), WANTED, moves=read_moves(plan_csv(plan), plan))

    assert kept.plan.waves == plan.waves
    assert (kept.moved, kept.new, kept.gone, kept.touched, kept.worse, kept.broken) == ((), (), (), {}, (), ())


def test_what_people_moved_stays_where_they_put_it_and_is_judged(plan: PlanDocument) -> None:
    first, last = plan.waves[0], plan.waves[-1]
    mover = last.members[0].key
    text = plan_csv(plan).replace(f"{mover},{mover},{last.name}", f"{mover},{mover},{first.name}")

    kept = keep_plan(plan, known(), WANTED, moves=read_moves(text, plan))

    assert kept.moved == (mover,)
    assert wave_of(kept.plan, mover) == first.name
    assert set(kept.touched) == {first.name, last.name}
    assert any("days that networks are extended" in line for line in kept.worse)
    assert kept.broken == ()
    others = {one.key for one in last.members} - {mover}
    assert {wave_of(kept.plan, key) for key in others} == {last.name}


def test_an_edit_that_breaks_a_hard_rule_is_said(plan: PlanDocument) -> None:
    first, last = plan.waves[0], plan.waves[-1]
    moves = {one.key: first.name for one in last.members}

    kept = keep_plan(plan, known(), WANTED, moves=moves)

    assert any("at most 4 may be in its wave" in line for line in kept.broken)


def test_a_new_inventory_touches_only_what_it_touches(plan: PlanDocument) -> None:
    gone = plan.waves[1].members[0].key
    rest = [one for one in known().vms if one.key != gone]
    now = inventory(*rest, vm("new-1", "net-a", application="a"))

    kept = keep_plan(plan, now, WANTED)

    assert (kept.new, kept.gone, kept.moved) == (("new-1",), (gone,), ())
    assert set(kept.touched) == {plan.waves[1].name, wave_of(kept.plan, "new-1")}
    same = {one.key for wave in plan.waves for one in wave.members} - {gone}
    assert all(wave_of(kept.plan, key) == wave_of(plan, key) for key in same)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n", "must name the columns key and wave"),
        ("key,wave\nx-1,estate-001\n", 'row 2: no VM of the plan has the key "x-1"'),
        ("key;wave\na-1;estate-009\n", 'row 2: there is no wave "estate-009"'),
    ],
)
def test_a_table_that_does_not_fit_is_refused(plan: PlanDocument, text: str, message: str) -> None:
    with pytest.raises(MovesError, match=message):
        read_moves(text, plan)


def test_names_are_no_formulas_in_the_table() -> None:
    made = make_plan(inventory(vm("=cmd", "n1"), vm("b", "n1")), WANTED, seconds=0)

    assert "\n'=cmd," in plan_csv(made).replace("\r", "")
    assert read_moves(plan_csv(made), made) == {}


def test_a_vm_a_wave_and_a_network_are_explained(plan: PlanDocument) -> None:
    member = plan.waves[0].members[0]

    lines = explain(plan, member.name, known())

    assert lines[0].startswith(f"{member.name} ({member.key}) is in estate-001")
    assert any(line.startswith("moves with ") for line in lines)
    assert any("in estate-002 instead: " in line and "days stretched" in line for line in lines)
    assert any("why: cuts over" in line for line in explain(plan, "estate-002"))
    assert "is extended for" in explain(plan, "net-all")[0]
    with pytest.raises(NotInPlanError, match="net-al"):
        explain(plan, "net-al")


def test_two_plans_are_compared(plan: PlanDocument) -> None:
    other = make_plan(known(), rules(limits={"vms": 12}), seconds=0)

    assert any(line.startswith("waves: 4 and 1") for line in compare_plans(plan, other))


def test_other_limits_can_be_tried() -> None:
    changed = changed_rules(WANTED, slots=16, window="8h", meshes=2)

    assert (changed.limits.slots, changed.limits.meshes, changed.limits.vms) == (16, 2, 4)
    assert changed.nights.lasts.total_seconds() == 8 * 3600


def test_the_picture_shows_every_wave_and_network(plan: PlanDocument) -> None:
    tree: Any = ElementTree.fromstring(plan_picture(plan))  # noqa: S314 - our own

    titles = [one.text for one in tree.iter("{http://www.w3.org/2000/svg}title")]
    assert all(any(str(title).startswith(f"{one.name}: {one.days} days") for title in titles) for one in plan.networks)
    assert all(any(str(title) == f"{one.name}: {one.slots}" for title in titles) for one in plan.waves)
