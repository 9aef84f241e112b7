"""Who may see what: Airflow's own access checks, asked by every route."""

from __future__ import annotations

from typing import Annotated

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from fastapi import Depends, Path, Request

from hcx_airflow.dag_factory.names import REHEARSAL_PREFIX, rehearsal_dag_id, wave_of_dag

LONGEST_DAG_ID = 250


def readable_waves(user: GetUserDep) -> frozenset[str]:
    """Return the waves whose rehearsal DAG the user may read."""
    dag_ids = get_auth_manager().get_authorized_dag_ids(user=user, method="GET")
    return frozenset(wave_of_dag(one) for one in dag_ids if one.startswith(REHEARSAL_PREFIX))


def readable_wave(request: Request, user: GetUserDep, wave: Annotated[str, Path(max_length=LONGEST_DAG_ID)]) -> str:
    """Return the wave of the path, if the user may read its rehearsal DAG.

    :raises HTTPException: 401 without a user, 403 if the user may not.
    """
    requires_access_dag("GET", param_dag_id=rehearsal_dag_id(wave))(request, user)
    return wave


def readable_wave_of_dag(
    request: Request, user: GetUserDep, dag_id: Annotated[str, Path(max_length=LONGEST_DAG_ID)]
) -> str:
    """Return the wave that a DAG of the path belongs to, if the user may read that DAG and the rehearsal's.

    :raises HTTPException: 401 without a user, 403 if the user may not.
    """
    requires_access_dag("GET", param_dag_id=dag_id)(request, user)
    return readable_wave(request, user, wave_of_dag(dag_id))


ReadableWaves = Annotated[frozenset[str], Depends(readable_waves)]
ReadableWave = Annotated[str, Depends(readable_wave)]
ReadableWaveOfDag = Annotated[str, Depends(readable_wave_of_dag)]
