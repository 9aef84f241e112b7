"""What the gate of a rollback shows: how far the run has come, what goes back, its price and the deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hcx_airflow.gates.brief import brief
from hcx_airflow.gates.reversibility_body import deadline_text, price_text
from hcx_waves.model.formatting import counted, instant
from hcx_waves.model.plan import ObjectRef
from hcx_waves.report.markup import Markdown, bold, bullets, code, document, escape, section, table

if TYPE_CHECKING:
    from hcx_airflow.gates.body import GateView
    from hcx_waves.rescue.rollback import Rollback

MOST_ROWS = 200
_REST = "the XCom of resolve_rollback lists all of them"
_POINTS = {
    "untouched": ("The source routes it, and it is extended", "nothing"),
    "source_off": ("The source gateway is off, the extension is whole", "source gateway on"),
    "unextending": (
        "HCX is at work on the unextend",
        "wait for its end; destination gateway off, proven; source gateway on; extend again; at the end unextend "
        "without connecting",
    ),
    "unextended": (
        "Unextended; the source is off",
        "destination gateway off, proven; source gateway on; extend again; at the end unextend without connecting",
    ),
    "returned": ("The source routes it, and it is not extended", "extend again; at the end unextend"),
}


def rollback_body(view: GateView) -> Markdown:
    """Return what is shown before a rollback acts."""
    found = view.rollback
    if found is None:
        return Markdown("Unknown: no result of resolve\\_rollback can be read.")
    rows = ((one.segment, *_POINTS[one.point.value]) for one in found.networks)
    vms = (
        (name, place.name if (place := _cluster(found, name)) else "", found.plan.vm(name).migration.value)
        for name in found.vms
    )
    price = () if found.price is None else (price_text(found.price), deadline_text(found.price, view.plan.clock))
    stays = [f"{name}: {why}" for name, why in found.stays.items()]
    return document(
        brief(
            view.asking,
            view.plan.clock,
            what=Markdown(
                f"If you approve, {bold(counted(len(found.vms), 'VM'))} and "
                f"{bold(counted(len(found.networks), 'segment'))} of run {code(found.run_id)} go back to the source, "
                "as listed below. If you reject, nothing changes."
            ),
            found_at=instant(found.at, view.plan.clock.time_zone, seconds=True),
        ),
        section("Price and deadline", bullets(price) if price else Markdown("unknown"), level=3),
        section("Networks", table(("Segment", "Found", "What is done"), rows, most=MOST_ROWS, rest=_REST), level=3),
        section(
            "Virtual machines, one at a time",
            table(("VM", "Back to cluster", "Migration type"), vms, most=MOST_ROWS, rest=_REST),
            level=3,
        ),
        section("Stay at the destination", bullets(map(escape, stays)) if stays else Markdown(), level=3),
        Markdown(f"Plan digest {code(found.plan.digest())}"),
    )


def _cluster(found: Rollback, name: str) -> ObjectRef | None:
    place = found.plan.vm(name).source_place
    return None if place is None else place.cluster
