"""Distributions of durations, drawn for many nights at once.

The kinds and the names of their fields are those of the simulator's settings, so that a parameters file can be
handed to a twin by value.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from typing_extensions import override

from hcx_waves.model.base import BrokenRule, DomainModel, refuse

Numbers = NDArray[np.float64]


class Fixed(DomainModel):
    """Always the same length."""

    kind: Literal["fixed"] = "fixed"
    seconds: float = Field(ge=0)

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> Numbers:
        """Return lengths in seconds, in an array of that shape; the same for every kind."""
        del generator
        return np.full(shape, self.seconds)

    @property
    def median_of_draws(self) -> float:
        """The length that half of the draws do not exceed."""
        return self.seconds

    @override
    def __str__(self) -> str:
        return f"{self.seconds:g} s"


class Uniform(DomainModel):
    """Any length between two bounds."""

    kind: Literal["uniform"] = "uniform"
    low_seconds: float = Field(ge=0)
    high_seconds: float = Field(ge=0)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.high_seconds < self.low_seconds:
            refuse([BrokenRule(("high_seconds",), "must not be below low_seconds")])
        return self

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> Numbers:
        """Return lengths in seconds, in an array of that shape."""
        return generator.uniform(self.low_seconds, self.high_seconds, shape)

    @property
    def median_of_draws(self) -> float:
        """The length that half of the draws do not exceed."""
        return (self.low_seconds + self.high_seconds) / 2

    @override
    def __str__(self) -> str:
        return f"{self.low_seconds:g} to {self.high_seconds:g} s"


class Triangular(DomainModel):
    """Between two bounds, most often near the mode."""

    kind: Literal["triangular"] = "triangular"
    low_seconds: float = Field(ge=0)
    mode_seconds: float = Field(ge=0)
    high_seconds: float = Field(ge=0)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.low_seconds <= self.mode_seconds <= self.high_seconds:
            refuse([BrokenRule(("mode_seconds",), "must lie between low_seconds and high_seconds")])
        return self

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> Numbers:
        """Return lengths in seconds, in an array of that shape."""
        if self.low_seconds == self.high_seconds:
            return np.full(shape, self.low_seconds)
        return generator.triangular(self.low_seconds, self.mode_seconds, self.high_seconds, shape)

    @property
    def median_of_draws(self) -> float:
        """The length that half of the draws do not exceed."""
        low, mode, high = self.low_seconds, self.mode_seconds, self.high_seconds
        if mode >= (low + high) / 2:
            return float(low + np.sqrt((high - low) * (mode - low) / 2))
        return float(high - np.sqrt((high - low) * (high - mode) / 2))

    @override
    def __str__(self) -> str:
        return f"{self.low_seconds:g} to {self.high_seconds:g} s, mostly {self.mode_seconds:g}"


class LogNormal(DomainModel):
    """Long-tailed, given by its median and the standard deviation of its logarithm, cut at ``max_seconds``."""

    kind: Literal["lognormal"] = "lognormal"
    median_seconds: float = Field(gt=0)
    sigma: float = Field(ge=0)
    max_seconds: float = Field(gt=0)

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> Numbers:
        """Return lengths in seconds, in an array of that shape."""
        drawn = self.median_seconds * np.exp(self.sigma * generator.standard_normal(shape))
        return np.minimum(drawn, self.max_seconds)

    @property
    def median_of_draws(self) -> float:
        """The length that half of the draws do not exceed."""
        return min(self.median_seconds, self.max_seconds)

    @override
    def __str__(self) -> str:
        return f"median {self.median_seconds:g} s, long tail (sigma {self.sigma:g}), at most {self.max_seconds:g}"


Duration = Annotated[Fixed | Uniform | Triangular | LogNormal, Field(discriminator="kind")]
