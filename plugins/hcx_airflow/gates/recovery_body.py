"""What the gate of a recovery shows: what was found, and what will be done to each object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hcx_airflow.gates.body import MOST_ROWS, GateView
from hcx_airflow.gates.brief import brief
from hcx_waves.model.formatting import counted, instant
from hcx_waves.report.markup import Markdown, bold, bullets, code, document, escape, section, table

if TYPE_CHECKING:
    from hcx_waves.rescue.base import Intent, Look
    from hcx_waves.rescue.recovery import Recovery

_REST = "the XCom of resolve_recovery lists all of them"


def recovery_body(view: GateView) -> Markdown:
    """Return what is shown before a recovery acts."""
    found = view.recovery
    if found is None:
        return Markdown("Unknown: no result of resolve\\_recovery can be read.")
    will = [one for one in found.intents if one.will]
    return document(
        brief(
            view.asking,
            view.plan.clock,
            what=Markdown(f"{bold(found.title)}. {escape(found.does)}"),
            how_many=f"{counted(len(will), 'object')}; each is looked at again right before, and left alone if it has "
            "changed",
            run=Markdown(f"{code(found.run_id)} of {code(view.plan.wave)}"),
            found_at=instant(found.look.at, view.plan.clock.time_zone, seconds=True),
            choices=found.chosen,
        ),
        section("What will be done", table(("Object", "What", "Price"), _doing(will), most=MOST_ROWS, rest=_REST)),
        section("What will not be done", _not_done(found)),
        section("Networks", table(_SEGMENTS, _networks(found.look), most=MOST_ROWS, rest=_REST)),
        section("Virtual machines", table(_VMS, _vms(found), most=MOST_ROWS, rest=_REST)),
        section("Not read", bullets(found.look.problems) if found.look.problems else Markdown()),
        Markdown(f"Plan {code(found.plan.digest()[:12])}"),
    )


_SEGMENTS = ("Segment", "How it stands", "Source", "Destination", "Extension", "Off since")
_VMS = ("VM", "Site", "Migration", "Message")


def _doing(will: list[Intent]) -> Iterator[tuple[str, ...]]:
    for one in will:
        yield one.subject, one.will, str(one.price)


def _not_done(found: Recovery) -> Markdown:
    rest = [one for one in found.intents if not one.will]
    return bullets(f"{one.subject}: {one.needless or one.refused}" for one in rest) if rest else Markdown()


def _networks(look: Look) -> Iterator[tuple[str, ...]]:
    from hcx_waves.rescue.segments import LABELS

    for one in look.segments:
        since = "" if one.off_since is None else instant(one.off_since, seconds=True)
        problem = f"; {one.problem}" if one.problem else ""
        standing = f"{LABELS[one.state]}{problem}"
        yield one.name, standing, one.source.state.value, one.destination.state.value, one.extension, since


def _vms(found: Recovery) -> Iterator[tuple[str, ...]]:
    named = {one.subject for one in found.intents}
    for one in found.look.vms:
        if one.in_flight or one.name in named:
            yield one.name, one.site.value, one.state or "none", one.message
