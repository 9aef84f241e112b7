"""What the manager is: metainfo and version, which decide the paths of other calls."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hcx_waves.clients.errors import ClientError, NotFound
from hcx_waves.clients.hcx.wire import HcxCalls

_VERSION = re.compile(r"\b(\d{1,2})\.\d+")
_NOT_OFFERED = frozenset({404, 405, 501})


@dataclass(frozen=True)
class HcxVersion:
    """The manager's version, as far as it shows.

    :param text: ``4.11.3`` where the manager says it; ``4.x`` or ``9.x`` where only its paths tell.
    :param major: 4, 9, ...
    :param source: ``configured``, ``metainfo`` or ``paths``.
    """

    text: str
    major: int
    source: str

    @property
    def has_network_extensions(self) -> bool:
        """Whether the manager offers the 9.x families of extension calls."""
        return self.major >= 9

    @classmethod
    def of_text(cls, text: str, source: str) -> HcxVersion | None:
        """Read ``4.11.3`` or ``9.1.0-24536``; None if it is no version."""
        match = _VERSION.match(text.strip())
        return None if match is None else cls(text.strip(), int(match.group(1)), source)


@dataclass(frozen=True)
class Metainfo:
    """``/metainfo/context/interconnect``.

    :param vc_guid: the vCenter's id that newer calls take as ``vcGuid`` [C hcx 3.2].
    :param version: the manager's version if it is named here ([I hcx 3.2]: no source lists the other members).
    :param raw: the body as it came.
    """

    vc_guid: str | None
    version: str | None
    raw: Any


class SessionCalls(HcxCalls):
    """Reads about the manager itself."""

    _version: HcxVersion | None
    _version_lock: threading.Lock

    def metainfo(self) -> Metainfo:
        """Read the manager's context.

        :raises MalformedResponse: if the answer is neither a list nor an object.
        """
        answer = self._get("/metainfo/context/interconnect")
        body = answer.body
        first = body[0] if isinstance(body, list) and body else body
        if not isinstance(first, Mapping):
            raise answer.malformed("metainfo is not a list of contexts")
        platforms = first.get("cloudManagementPlatforms")
        platform = platforms[0] if isinstance(platforms, list) and platforms else None
        vc_guid = platform.get("cmpId") if isinstance(platform, Mapping) else None
        return Metainfo(vc_guid=None if vc_guid is None else str(vc_guid), version=_named_version(first), raw=body)

    def version(self) -> HcxVersion:
        """Return the manager's version; it is read once.

        Where metainfo names none, the paths tell: ``/l2NetworkExtensions`` exists since 9.x [D hcx 5.1].

        :raises ClientError: if the manager cannot be asked.
        """
        with self._version_lock:
            if self._version is None:
                self._version = self._version_by_metainfo() or self._version_by_paths()
            return self._version

    def version_again(self) -> HcxVersion:
        """Ask the manager anew, as another one may answer by now, and remember what it says.

        :raises ClientError: if the manager cannot be asked.
        """
        with self._version_lock:
            if self._version is None or self._version.source != "configured":
                self._version = self._version_by_metainfo() or self._version_by_paths()
            return self._version

    def _version_by_metainfo(self) -> HcxVersion | None:
        try:
            named = self.metainfo().version
        except NotFound:
            return None
        return None if named is None else HcxVersion.of_text(named, "metainfo")

    def _version_by_paths(self) -> HcxVersion:
        try:
            self._get("/l2NetworkExtensions")
        except ClientError as error:
            if error.status not in _NOT_OFFERED:
                raise
            return HcxVersion("4.x", 4, "paths")
        return HcxVersion("9.x", 9, "paths")


def _named_version(context: Mapping[str, Any]) -> str | None:
    for name in ("hcxVersion", "productVersion", "version", "buildVersion"):
        value = context.get(name)
        if isinstance(value, str) and _VERSION.match(value):
            return value
    return None
