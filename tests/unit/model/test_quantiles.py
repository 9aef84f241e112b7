"""One definition of P50, P90 and P95, for forecasts and rehearsals alike."""

from __future__ import annotations

import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcx_waves.forecast.results.figures import quantiles as forecast_quantiles
from hcx_waves.model.expectation import Spread
from hcx_waves.model.quantiles import quantile, quantiles

SECONDS = st.lists(st.floats(min_value=0, max_value=1e6), min_size=1, max_size=60)


def test_quantiles_lie_between_neighbours_in_proportion() -> None:
    assert quantiles([4, 1, 3, 2], 0, 0.5, 0.9, 1) == (1, 2.5, pytest.approx(3.7), 4)
    assert quantile([5], 0.95) == 5


@given(SECONDS, st.floats(min_value=0, max_value=1))
def test_the_definition_is_the_usual_one_of_numpy(values: list[float], share: float) -> None:
    assert quantile(values, share) == pytest.approx(float(np.quantile(values, share)), rel=1e-9, abs=1e-9)


def test_the_definition_is_the_inclusive_one_of_the_standard_library() -> None:
    values = [float(number**2 % 61) for number in range(30)]
    inclusive = statistics.quantiles(values, n=100, method="inclusive")
    assert quantiles(values, 0.5, 0.9, 0.95) == pytest.approx((inclusive[49], inclusive[89], inclusive[94]))


@given(SECONDS)
def test_a_forecast_and_a_rehearsal_of_the_same_nights_show_the_same_figures(values: list[float]) -> None:
    """They stand side by side in one table, so a difference must come from the nights alone."""
    assert forecast_quantiles(np.array(values)).spread == Spread.of(values)
