"""The forecast of a wave: a discrete-event model of its nights.

``forecast(input, parameters, nights, seed)`` plays the nights; :mod:`~hcx_waves.forecast.inputs` says what of,
:mod:`~hcx_waves.forecast.parameters` with which figures, :mod:`~hcx_waves.forecast.results` what comes of it.
"""

from hcx_waves.forecast.inputs import ForecastInput, ForecastMesh, ForecastSegment, ForecastVm, Progress
from hcx_waves.forecast.model import forecast
from hcx_waves.forecast.parameter_files import (
    ParametersError,
    dump_parameters,
    load_parameters,
    simulator_assumptions,
    simulator_settings,
)
from hcx_waves.forecast.parameters import ModelParameters
from hcx_waves.forecast.results import Forecast

__all__ = [
    "Forecast",
    "ForecastInput",
    "ForecastMesh",
    "ForecastSegment",
    "ForecastVm",
    "ModelParameters",
    "ParametersError",
    "Progress",
    "dump_parameters",
    "forecast",
    "load_parameters",
    "simulator_assumptions",
    "simulator_settings",
]
