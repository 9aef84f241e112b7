"""What the simulated migrations cover besides their endpoints: states, fields, fault points and switches."""

from __future__ import annotations

from hcx_sim.coverage import Confidence
from hcx_sim.hcx.app import coverage
from hcx_sim.hcx.mobility.flow import FAULT_POINTS
from hcx_sim.hcx.mobility.forms import FIRST_STATES, FIRST_STEPS, TERMINAL_STATES, V2_STATUS
from hcx_sim.hcx.mobility.groups import GROUP_STATES
from hcx_sim.hcx.mobility.model import MigrationType, Phase
from hcx_sim.hcx.mobility.progress import STATE_FLAGS, STATUS_NAMES
from hcx_sim.hcx.mobility.query import FILTERS

_D, _C, _I, _G = Confidence.DOCUMENTED, Confidence.CONFIRMED, Confidence.INFERRED, Confidence.GUESSED

coverage.states("migration, terminal", TERMINAL_STATES, _C, "VRNI AYANNY ASAF", "settings.hcx.canceled_name")
coverage.states(
    "migration, on the way",
    tuple(phase.name for phase in Phase if not phase.terminal),
    _G,
    "XWM",
    "no source names them; settings.hcx.intermediate_states renames them by phase",
)
coverage.states("migration, first generation", FIRST_STATES, _C, "PCLI LAMW")
coverage.states("migration steps, first generation", FIRST_STEPS, _C, "FED", "which step in which phase is a guess")
coverage.states("migration status", STATUS_NAMES, _G, "XWM", "progress.state.status")
coverage.states("mobility group", GROUP_STATES, _G, "XWM", "the words are not published")
coverage.states("migration status, v2", tuple(V2_STATUS.values()), _G, "T91", "the counters are confirmed")
coverage.states("migration types", tuple(kind.value for kind in MigrationType), _D, "XWM ASAF VRNI T91")
coverage.fields(
    "migration query filter", FILTERS, _D, "XWM", "shapes of creationDateInterval and createTimeEpoch are guesses"
)
coverage.fields(
    "migration progress",
    ("startTime", "endTime", "message", "draftState", "isRescheduleAllowed", "isCancelled", "isDone", "didFail",
     "percentComplete", "log", "total", "error", "transfer", "switchover", "parked", "aborted", "canceled", "state"),
    _D,
    "XWM ASAF",
    "which values go with which phase is inferred",
)  # fmt: skip
coverage.fields("migration progress.state", STATE_FLAGS, _D, "XWM", "flags per phase inferred from their names")
coverage.fields(
    "migration intent",
    ("migrationType", "servicemeshId", "entity", "source", "destination", "transferParams", "switchoverParams",
     "placement", "storage", "networkParams", "guestCustomization"),
    _C,
    "XWM ASAF AYANNY T91",
    "options as an object or as profiles, in singular or plural; source may be missing",
)  # fmt: skip
coverage.fields("fault points", FAULT_POINTS, _I, "UG KB-321654", "engine rules: fail, delay, stall")
coverage.fields(
    "migration limits",
    ("300 per manager", "200 per mesh", "1 Gbps per migration", "1.6 Gbps per appliance", "1 RAV switchover per mesh",
     "1 vMotion per site pair"),
    _D,
    "KB-321604 KB-440117",
    "queue or reject is settings.hcx.over_limit [? hcx 8.1]; one RAV switchover per mesh [C hcx 8.1]",
)  # fmt: skip
coverage.fields(
    "migration durations",
    ("queue_seconds", "rav_switchover", "vmotion_overhead", "bulk_switchover", "stun", "cancel_seconds"),
    _G,
    "KB-307365 UG",
    "settings.hcx; drawn per VM",
)
coverage.fields(
    "migration switches",
    ("over_limit", "missed_window", "equal_windows_hold_transfer", "bulk_keeps_uuids", "canceled_name",
     "intermediate_states"),
    _G,
    "KB-321604 XWM ASAF UG",
    "settings.hcx; nobody publishes which way the product goes, so each way is offered",
)  # fmt: skip
coverage.fields(
    "task of a relocation", ("RelocateVM_Task",), _I, "KB-440117", "shown by the source's vCenter for live and cold"
)
