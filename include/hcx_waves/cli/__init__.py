"""The ``hcx-waves`` command: a module for each family of commands, and what they share.

The core's other packages know nothing of the command line. Another package adds commands of its own as entry points of
the group ``hcx_waves.commands``.
"""

from hcx_waves.cli.app import main

__all__ = ["main"]
