"""The plugin that Airflow finds by the entry point ``airflow.plugins``.

Every process of Airflow loads plugins, and only the API server serves pages: so the pages are made by the first
request, and this module imports next to nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from airflow.plugins_manager import AirflowPlugin

from hcx_airflow.ui.board.paths import PREFIX, board_path

_Message = MutableMapping[str, Any]


class LazyBoard:
    """The pages as an ASGI application that is made when it is first asked for something."""

    def __init__(self) -> None:
        self._app: Callable[..., Awaitable[None]] | None = None

    async def __call__(
        self,
        scope: _Message,
        receive: Callable[[], Awaitable[_Message]],
        send: Callable[[_Message], Awaitable[None]],
    ) -> None:
        """Answer one request."""
        if self._app is None:
            from hcx_airflow.ui.board.app import make_app

            self._app = make_app()
        await self._app(scope, receive, send)

    def __repr__(self) -> str:
        """Return what Airflow's list of plugins shows."""
        return "hcx_airflow.ui.board.app"


class BoardPlugin(AirflowPlugin):
    """Serves the board, with a link to it in the navigation and one from every DAG."""

    name = "hcx_waves_board"
    fastapi_apps = [{"app": LazyBoard(), "url_prefix": PREFIX, "name": "hcx-waves board"}]  # noqa: RUF012  (as the base class has it)
    external_views = [  # noqa: RUF012  (as the base class has it)
        {
            "name": "Wave rehearsals",
            "href": f"{board_path()}/rehearsals",
            "destination": "nav",
            "category": "browse",
            "url_route": "hcx-waves-rehearsals",
        },
        {
            "name": "Rehearsals",
            "href": f"{board_path()}/dags/{{DAG_ID}}",
            "destination": "dag",
            "url_route": "hcx-waves-rehearsals-of-dag",
        },
    ]
