"""Rehearsal DAGs of all wave files in ``waves``, apart from the live ones: they can neither delay nor spoil those."""

from __future__ import annotations

from pathlib import Path

from airflow.sdk import get_parsing_context

from hcx_airflow.dag_factory.loader import Kind, wave_dags

# When a task starts, only its own wave is read.
globals().update(wave_dags(Path(__file__).parent / "waves", only=get_parsing_context().dag_id, kinds={Kind.REHEARSAL}))
