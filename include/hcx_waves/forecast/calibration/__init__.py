"""Correct the model's parameters by the reports of finished runs."""

from hcx_waves.forecast.calibration.calibrate import Calibration, Change, calibrate

__all__ = ["Calibration", "Change", "calibrate"]
