"""One run of a wave: what its tasks leave behind, what that says about the VMs, and how the run has ended. Pure.

- :mod:`~hcx_waves.run.results` has one model for each task's result, and :class:`~hcx_waves.run.results.RunResults`;
- :mod:`~hcx_waves.run.evaluation` evaluates VMs and segments after the migrations;
- :mod:`~hcx_waves.run.ending` judges the run.
"""
