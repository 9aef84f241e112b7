"""Links from a task to HCX, NSX and vCenter; addresses only, as the task has used them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseOperatorLink
from typing_extensions import override

if TYPE_CHECKING:
    from airflow.sdk.types import TaskInstanceKey


class ManagerLink(BaseOperatorLink):
    """A link to a manager. Airflow asks for it in the worker when the task has ended, and keeps the answer."""

    name = "Manager"
    page: ClassVar[str] = ""

    @override
    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:
        address = (getattr(operator, "pages", None) or {}).get(self.page)
        return address if isinstance(address, str) and address.startswith("https://") else ""


class HcxLink(ManagerLink):
    """To the source's HCX manager."""

    name = "HCX"
    page: ClassVar[str] = "hcx"


class NsxLink(ManagerLink):
    """To the destination's NSX."""

    name = "NSX"
    page: ClassVar[str] = "nsx"


class VcenterLink(ManagerLink):
    """To the destination's vCenter."""

    name = "vCenter"
    page: ClassVar[str] = "vcenter"
