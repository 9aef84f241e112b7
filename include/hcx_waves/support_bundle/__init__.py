"""``hcx-waves bundle``: everything about a run in one file, redacted."""

from hcx_waves.support_bundle.collect import RunFiles, RunNotFoundError, find_report, read_run
from hcx_waves.support_bundle.write import LeakError, bundle_of

__all__ = ["LeakError", "RunFiles", "RunNotFoundError", "bundle_of", "find_report", "read_run"]
