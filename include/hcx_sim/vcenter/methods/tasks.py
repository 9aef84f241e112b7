"""``Task``: cancelling."""

from __future__ import annotations

from hcx_sim.vcenter.faults import invalid_state, not_supported
from hcx_sim.vcenter.registry import Context, method
from hcx_sim.vcenter.state import TaskRecord
from hcx_sim.vcenter.tasks import cancel


@method("Task", "CancelTask", mutating=True)
def cancel_task(context: Context) -> None:
    """Cancel a task; InvalidState when it is over, NotSupported when its kind cannot be cancelled."""
    task: TaskRecord = context.target.record
    if task.over:
        raise invalid_state(f"The task is already complete: {task.state}.")
    if not task.cancelable:
        raise not_supported("This task cannot be canceled.")
    cancel(context.inventory, task)
