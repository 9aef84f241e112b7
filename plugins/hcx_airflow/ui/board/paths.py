"""Where the board is served."""

from __future__ import annotations

from urllib.parse import urlsplit

from airflow.configuration import conf

PREFIX = "/hcx-waves"


def board_path() -> str:
    """Return the board's path as a browser sees it, below the path of ``[api] base_url``."""
    return urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/") + PREFIX
