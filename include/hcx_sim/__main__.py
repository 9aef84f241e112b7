"""The console script ``hcx-sim``; ``python -m hcx_sim`` is the same."""

from __future__ import annotations

import sys

_EXTRA = ("fastapi", "httptools", "uvicorn")


def main() -> None:
    """Run the console script; say what to install if the packages of the extra are missing."""
    try:
        from hcx_sim.cli import main as run
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        sys.exit(f"hcx-sim: the package {error.name} is not installed; run: pip install 'hcx-waves[sim]'")
    run()


if __name__ == "__main__":
    main()
