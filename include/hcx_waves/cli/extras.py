"""Which extra brings a package that is not installed."""

from __future__ import annotations

import re
from importlib import metadata

_DISTRIBUTION = "hcx-waves"
_REQUIREMENT = re.compile(r"""(?P<name>[A-Za-z0-9._-]+).*;.*\bextra\s*==\s*["'](?P<extra>[a-z]+)["']""")


class MissingPackageError(Exception):
    """A package of an extra is not installed; the message has the command that installs it."""


def missing_package(error: ModuleNotFoundError) -> MissingPackageError:
    """Return what to say of a module that was not found.

    :raises ModuleNotFoundError: the same error, if no extra brings the module: then the installation is broken.
    """
    module = (error.name or "").partition(".")[0]
    extra = _extras().get(_normalised(module))
    if extra is None:
        raise error
    return MissingPackageError(f"the package {module} is not installed; run: pip install '{_DISTRIBUTION}[{extra}]'")


def _extras() -> dict[str, str]:
    """Return the extra of each package; of those with the same name as the module that they hold."""
    found = (_REQUIREMENT.match(one) for one in metadata.requires(_DISTRIBUTION) or ())
    return {_normalised(one["name"]): one["extra"] for one in found if one is not None}


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).lower()
