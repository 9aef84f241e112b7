"""COVERAGE.md says how each endpoint is known, and nothing is served that it does not list."""

from __future__ import annotations

import pytest
from fastapi import FastAPI, Request, Response

from hcx_sim.coverage import Confidence, Coverage
from hcx_sim.coverage_report import coverage_markdown, coverage_path, uncovered_routes
from hcx_sim.http.context import Product
from hcx_sim.products import products
from support.probe_product import NAMES, probe_product
from support.vendor_pages import pages


async def _handler(_request: Request) -> Response:
    return Response()


@pytest.mark.parametrize("name", NAMES)
def test_every_route_has_a_confidence_and_a_source(name: str) -> None:
    product = products()[name]

    assert uncovered_routes(product) == []
    assert all(fact.sources and fact.confidence in Confidence for fact in product.coverage.routes)
    assert all(group.sources and group.members for group in product.coverage.groups)
    assert product.coverage.routes


@pytest.mark.parametrize("name", NAMES)
def test_operation_keys_are_unique_per_product_and_method(name: str) -> None:
    seen = [(fact.call, fact.method, fact.path) for fact in products()[name].coverage.routes]

    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("name", NAMES)
def test_every_source_is_a_key_of_the_vendor_pages(name: str) -> None:
    facts = [*products()[name].coverage.routes, *products()[name].coverage.groups]
    keys = pages()["hcx" if name == "hcx" else "nsx-vsphere"].keys

    assert [(fact, key) for fact in facts for key in fact.sources if key.replace("-", " ") not in keys] == []


def test_a_route_without_a_fact_is_found() -> None:
    probe = probe_product("nsx")
    probe.app.add_api_route("/unknown", _handler, methods=["PUT"], response_model=None)

    assert uncovered_routes(probe) == ["PUT /unknown"]


def test_a_fact_without_a_source_is_refused() -> None:
    coverage = Coverage("nsx")

    with pytest.raises(ValueError, match="/x has no source"):
        coverage.route(FastAPI(), "GET", "/x", call="x", confidence=Confidence.GUESSED, sources=" ")
    with pytest.raises(ValueError, match="sessions has no source"):
        coverage.states("sessions", ("a",), Confidence.GUESSED, "")


def test_the_report_shows_routes_states_and_fields() -> None:
    probe = probe_product("nsx")
    coverage = probe.coverage
    coverage.states("lives", ("UP", "DOWN|OUT"), Confidence.INFERRED, "XWM TF KB-321604", note="seen | once")
    coverage.fields("name", ("id",), Confidence.DOCUMENTED, "XWM")
    listed = {"nsx": Product("nsx", probe.app, coverage, probe.install, probe.failure)}

    text = coverage_markdown(listed)

    assert "| nsx | 6 | 0 | 0 | 0 | 6 |" in text
    assert "| `thing.read` | GET | `/thing` | guessed | TEST |  |" in text
    assert "| lives | `UP`, `DOWN\\|OUT` | inferred | XWM, TF, KB 321604 | seen \\| once |" in text
    assert text.index("### States") < text.index("### Fields and settings")
    assert coverage_markdown(listed) == text


def test_the_file_is_up_to_date() -> None:
    assert coverage_path().read_text(encoding="utf-8") == coverage_markdown(), "run: hcx-sim coverage"
