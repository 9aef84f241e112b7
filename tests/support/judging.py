"""Resolve and judge a wave at a simulated pair, and compare with what ought to be found."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.model.findings import Assessments, Finding
from hcx_waves.model.plan import WavePlan
from hcx_waves.preflight import run_preflight
from hcx_waves.resolve import resolve_plan
from hcx_waves.wavefile.wave import Wave
from support.site_pair import SitePair
from support.waves import nothing_changed, seed_wave

Key = tuple[str, str, str]
# What is really there in the unchanged seed scenario; the second if VMs move by Bulk.
USUAL = {
    ("advice", "segment-dhcp-at-both-sites", "seed-net"),
    ("warning", "segment-originals-remain", "seed-net"),
}


class Judge:
    """Plans a wave, lets the test change the world, then judges the wave."""

    def __init__(self, pair: SitePair, clients: SiteClients, wave: Wave | None = None) -> None:
        self.pair, self.clients = pair, clients
        self.wave = wave or seed_wave()
        self.plan: WavePlan = resolve_plan(self.wave, clients, now=pair.now)

    def judge(self, other_waves: Sequence[Wave] = ()) -> Assessments:
        """Run all checks; fails if anything but reading was done."""
        mark = self.pair.mark()
        judged = run_preflight(self.plan, self.wave, self.clients, now=self.pair.now, other_waves=other_waves)
        assert nothing_changed(self.pair, mark)
        return judged

    def found(self) -> dict[Key, Finding]:
        """Return the findings that the unchanged seed scenario does not have, by severity, id and subject."""
        items = [item.finding for item in self.judge().items]
        by_key = {(str(one.severity), one.finding_id, one.subject): one for one in items}
        return {key: finding for key, finding in by_key.items() if key not in USUAL}

    def only(self, severity: str, finding_id: str, subject: str) -> Finding:
        """Return the one finding there is; fails if there is another, or none."""
        found = self.found()
        assert list(found) == [(severity, finding_id, subject)], {key: one.message for key, one in found.items()}
        finding = next(iter(found.values()))
        assert finding.suggestion or severity == "advice"
        return finding

    def after(self, change: Callable[[], object]) -> Judge:
        """Change the world after the plan was made."""
        self.pair.run(change)
        return self
