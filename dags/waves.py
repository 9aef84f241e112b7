"""Live and cleanup DAGs of all wave files in ``waves``. ``waves_check.py`` lists invalid files."""

from __future__ import annotations

from pathlib import Path

from airflow.sdk import get_parsing_context

from hcx_airflow.dag_factory.loader import REAL, wave_dags

# When a task starts, only its own wave is read.
globals().update(wave_dags(Path(__file__).parent / "waves", only=get_parsing_context().dag_id, kinds=REAL))
