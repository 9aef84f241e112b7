"""``hcx-waves probe``: makes every read that the product relies on, and compares the answers with the contract.

The contract is ``contract.json``, which is made of the samples that clients and simulator are held to; for vCenter also
the vendor's own type information. Nothing is changed at any site.
"""

from hcx_waves.probe.contract import load_contract
from hcx_waves.probe.kept import KeptProbes, SeenDifference
from hcx_waves.probe.record import build_record
from hcx_waves.probe.results import Outcome, Probe, ProbeRow
from hcx_waves.probe.run import probe_sites

__all__ = [
    "KeptProbes",
    "Outcome",
    "Probe",
    "ProbeRow",
    "SeenDifference",
    "build_record",
    "load_contract",
    "probe_sites",
]
