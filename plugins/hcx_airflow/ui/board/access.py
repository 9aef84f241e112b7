"""Which user may see what: Airflow's own access checks, asked by every route."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, HTTPException, Path, Request

from hcx_airflow.airflow_private import auth_manager, require_dag_read, user_dependency
from hcx_airflow.names import REHEARSAL_PREFIX, rehearsal_dag_id, wave_of_dag

LONGEST_DAG_ID = 250
_User: Any = user_dependency()


def readable_waves(user: _User) -> frozenset[str]:
    """Return the waves whose rehearsal DAG the user may read."""
    dag_ids = auth_manager().get_authorized_dag_ids(user=user, method="GET")
    return frozenset(wave_of_dag(one) for one in dag_ids if one.startswith(REHEARSAL_PREFIX))


def readable_wave(request: Request, user: _User, wave: Annotated[str, Path(max_length=LONGEST_DAG_ID)]) -> str:
    """Return the wave of the path, if the user may read its rehearsal DAG.

    :raises HTTPException: 401 without a user, 403 if the user may not, 404 for what is no name.
    """
    _require_name(wave)
    require_dag_read(rehearsal_dag_id(wave), request, user)
    return wave


def readable_wave_of_dag(request: Request, user: _User, dag_id: Annotated[str, Path(max_length=LONGEST_DAG_ID)]) -> str:
    """Return the wave that a DAG of the path belongs to, if the user may read that DAG and the rehearsal's.

    :raises HTTPException: 401 without a user, 403 if the user may not, 404 for what is no name.
    """
    _require_name(dag_id)
    require_dag_read(dag_id, request, user)
    return readable_wave(request, user, wave_of_dag(dag_id))


def _require_name(name: str) -> None:
    """Refuse what no database can look for.

    :raises HTTPException: 404 for a name with characters that cannot be seen.
    """
    if not name.isprintable():
        raise HTTPException(404, "there is no wave of this name")


ReadableWaves = Annotated[frozenset[str], Depends(readable_waves)]
ReadableWave = Annotated[str, Depends(readable_wave)]
ReadableWaveOfDag = Annotated[str, Depends(readable_wave_of_dag)]
