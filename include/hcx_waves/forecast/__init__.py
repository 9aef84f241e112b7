"""The forecast of a wave, from many simulated nights.

``forecast(subject_of(wave, snapshot, parameters), parameters)`` returns a :class:`Forecast`. How it comes about:

- :mod:`~hcx_waves.forecast.subject`: what a wave file and an inventory say about the wave;
- :mod:`~hcx_waves.forecast.model`: the parameters, and the discrete-event model that plays the nights;
- :mod:`~hcx_waves.forecast.results`: the summary of the nights, as a document, as text and as a picture;
- :mod:`~hcx_waves.forecast.what_if`: the same wave under other circumstances;
- :mod:`~hcx_waves.forecast.calibration`: parameters corrected by the reports of finished runs.
"""

from hcx_waves.forecast.model.inputs import ForecastInput, ForecastMesh, ForecastSegment, ForecastVm, Progress
from hcx_waves.forecast.model.parameter_files import (
    ParametersError,
    dump_parameters,
    load_parameters,
    parameters_digest,
    simulator_assumptions,
    simulator_settings,
)
from hcx_waves.forecast.model.parameters import ModelParameters
from hcx_waves.forecast.model.safe_start import SAFE_CHANCE, last_safe_start
from hcx_waves.forecast.results.build import DEFAULT_NIGHTS, forecast
from hcx_waves.forecast.results.document import Forecast
from hcx_waves.forecast.subject import subject_of

__all__ = [
    "DEFAULT_NIGHTS",
    "SAFE_CHANCE",
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
    "last_safe_start",
    "load_parameters",
    "parameters_digest",
    "simulator_assumptions",
    "simulator_settings",
    "subject_of",
]
