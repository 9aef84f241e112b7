"""The form of a recovery. Airflow's API enforces little of it, so ``resolve_recovery`` checks it again."""

from __future__ import annotations

from airflow.sdk import Param

from hcx_airflow.dag_factory.form import record_params
from hcx_airflow.dag_factory.texts import DagFace
from hcx_waves.rescue.menu import MENU, MOST_LETTERS, RescueChoice
from hcx_waves.wavefile.gates import GateSettings

_LATER = "Choices"


def recovery_params(face: DagFace) -> dict[str, Param]:
    """Return the params of a wave's recovery DAG."""
    names = list(face.objects)
    listed = "\n".join(f"- **{row.title}**: {row.does}" for row in MENU.values())
    return {
        "action": Param(
            None,
            type=["string", "null"],
            enum=[None, *(action.value for action in MENU)],
            values_display={action.value: f"{row.title} ({row.subjects})" for action, row in MENU.items()},
            title="Action",
            description_md=f"What to do. It looks first, and a gate shows what it found and will do.\n\n{listed}",
        ),
        "objects": Param(
            [],
            type=["array", "null"],
            items={"type": "string", "enum": names},
            examples=names,
            uniqueItems=True,
            title="Objects",
            description="Names of segments or VMs, whichever the action is for. If none is selected: all that it is "
            "for, which the gate lists.",
        ),
        "run": Param(
            None,
            type=["string", "null"],
            maxLength=MOST_LETTERS,
            title="Run of the wave",
            description=f"Run id of the live run of {face.wave} that is recovered. If empty, the run that was active "
            "last.",
        ),
        **_choices(),
        **record_params(GateSettings(), "Kept with the run."),
    }


def _choices() -> dict[str, Param]:
    return {
        RescueChoice.DECIDED_BY.value: Param(
            None,
            type=["string", "null"],
            maxLength=MOST_LETTERS,
            title="Decided by",
            description=f"{_for(RescueChoice.DECIDED_BY)}Who has decided to go back although HCX may have been "
            "asked to unextend. Empty unless the gate or the report asks for it.",
            section=_LATER,
        ),
        RescueChoice.WHILE_EXTENDED.value: Param(
            False,
            type="boolean",
            title="While extended",
            description=f"{_for(RescueChoice.WHILE_EXTENDED)}Switch the destination gateway on although HCX still "
            "lists the extension. The source gateway must read off.",
            section=_LATER,
        ),
        RescueChoice.FORCE.value: Param(
            False,
            type="boolean",
            title="Force",
            description=f"{_for(RescueChoice.FORCE)}Clear at both sites what cannot be cancelled gracefully.",
            section=_LATER,
        ),
        RescueChoice.DEADLINE.value: Param(
            None,
            type=["string", "null"],
            format="date-time",
            title="Deadline",
            description=f"{_for(RescueChoice.DEADLINE)}Until when to wait.",
            section=_LATER,
        ),
    }


def _for(choice: RescueChoice) -> str:
    """Return for which actions a choice means something."""
    titles = [row.phrase for row in MENU.values() if choice in row.takes]
    return f"For {', '.join(titles)}. " if titles else "For no action of this release. "
