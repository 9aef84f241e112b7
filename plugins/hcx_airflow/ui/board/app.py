"""The board's routes. Each asks Airflow's access checks first."""

from __future__ import annotations

from datetime import date
from urllib.parse import quote

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse

from hcx_airflow.folders import reports_folder
from hcx_airflow.names import rehearsal_dag_id
from hcx_airflow.ui.board.access import ReadableWave, ReadableWaveOfDag, ReadableWaves
from hcx_airflow.ui.board.headers import EveryAnswer
from hcx_airflow.ui.board.pages import empty_page, list_page, summary_page
from hcx_airflow.ui.board.paths import PREFIX, board_path
from hcx_waves.model.outside import shown
from hcx_waves.rehearsals.store import RecordError, RecordStore
from hcx_waves.rehearsals.summary import summarise


def make_app() -> FastAPI:
    """Return the board as an application of its own, without a description that anybody could read."""
    app = FastAPI(title="hcx-waves board", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.add_middleware(EveryAnswer)
    app.add_exception_handler(RequestValidationError, _not_an_address)
    app.add_api_route("/rehearsals", _list, response_class=HTMLResponse)
    app.add_api_route("/dags/{dag_id}", _of_dag, response_class=HTMLResponse)
    app.add_api_route("/rehearsals/{wave}", _page, response_class=HTMLResponse)
    app.add_api_route("/rehearsals/{wave}/summary.json", _summary)
    app.add_api_route("/rehearsals/{wave}/nights/{night}/record.json", _record)
    app.add_api_route("/rehearsals/{wave}/nights/{night}/timeline.json", _timeline)
    return app


async def _not_an_address(_request: Request, _error: Exception) -> Response:
    """Answer an address with a date or a name that is none; what was asked is not repeated."""
    return JSONResponse({"detail": "this address names no wave or no night"}, 422)


def _list(waves: ReadableWaves) -> Response:
    """Answer with all waves that have been rehearsed and that the user may see."""
    store = _store()
    rows = []
    for wave in store.waves():
        nights = store.nights(wave) if wave in waves else ()
        if nights:
            rows.append((wave, len(nights), str(nights[-1])))
    return _html(list_page(rows, board_path()))


def _page(wave: ReadableWave) -> Response:
    """Answer with the summary of a wave."""
    return _html_of(wave)


def _of_dag(wave: ReadableWaveOfDag) -> Response:
    """Answer with the summary of the wave that a DAG belongs to."""
    return _html_of(wave)


def _summary(wave: ReadableWave) -> Response:
    """Answer with the summary of a wave as JSON."""
    try:
        return JSONResponse(summarise(_store(), wave).model_dump(mode="json"))
    except RecordError as error:
        raise HTTPException(404, shown(error)) from None


def _record(wave: ReadableWave, night: date) -> Response:
    """Answer with the record of a night."""
    try:
        return JSONResponse(_store().read(wave, night).model_dump(mode="json"))
    except RecordError as error:
        raise HTTPException(404, shown(error)) from None


def _timeline(wave: ReadableWave, night: date) -> Response:
    """Answer with the timeline of a night, byte by byte as it was exported."""
    try:
        content = _store().timeline(wave, night)
    except RecordError as error:
        raise HTTPException(404, shown(error)) from None
    return Response(content, media_type="application/json")


def _html_of(wave: str) -> Response:
    try:
        summary = summarise(_store(), wave)
    except RecordError as error:
        return _html(empty_page(wave, str(error), board_path()), status=404)
    dag_page = f"{board_path().removesuffix(PREFIX)}/dags/{quote(rehearsal_dag_id(wave))}"
    return _html(summary_page(summary, board_path(), dag_page))


def _html(text: str, status: int = 200) -> Response:
    return HTMLResponse(text, status_code=status)


def _store() -> RecordStore:
    return RecordStore(reports_folder())
