"""Bodies that clients send, other than segments: ports, gateway policies, rules and groups. [D nsx-vsphere 3]"""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from hcx_sim.nsx.errors import invalid

MAX_SEQUENCE = 2147483647
# Control characters in names would break logs and headers of whoever shows them.
Name = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f]+$")]
M = TypeVar("M", bound=BaseModel)


def parse(model: type[M], body: Any) -> M:
    """Return the parsed body; raises 400/255 with one related error per wrong field."""
    if not isinstance(body, dict):
        raise invalid(["the body must be a JSON object"])
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise invalid(_problem(dict(each)) for each in error.errors()) from None


def _problem(error: dict[str, Any]) -> str:
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"]).lstrip(".")
    return f"{where}: {error['msg']}"


def sent_fields(body: BaseModel) -> dict[str, Any]:
    """Return what the client sent of the fields that we know, bookkeeping left out."""
    return {name: value for name, value in body.model_dump(exclude_unset=True).items() if name != "revision"}


class Body(BaseModel):
    """A body of which unknown and read-only fields are ignored."""

    model_config = ConfigDict(extra="ignore")


class Tag(Body):
    """A tag."""

    scope: str = Field(default="", max_length=128)
    tag: str = Field(default="", max_length=256)


class PolicyObject(Body):
    """What all policy objects have in common."""

    display_name: Name | None = None
    description: str | None = Field(default=None, max_length=1024)
    tags: list[Tag] | None = Field(default=None, max_length=30)
    revision: int | None = Field(default=None, alias="_revision")


class Attachment(Body):
    """What a port is attached to."""

    id: Name | None = None
    type: Literal["PARENT", "CHILD", "INDEPENDENT", "STATIC"] | None = None
    context_id: str | None = None
    traffic_tag: int | None = None
    app_id: str | None = None
    allocate_addresses: str | None = None
    hyperbus_mode: Literal["ENABLE", "DISABLE"] | None = None


class PortBody(PolicyObject):
    """A segment port."""

    attachment: Attachment | None = None
    admin_state: Literal["UP", "DOWN"] | None = None
    address_bindings: list[dict[str, Any]] | None = None
    init_state: Literal["UNBLOCKED_VLAN", "RESTORE_VIF"] | None = None


class RuleBody(PolicyObject):
    """A rule of a gateway policy; ``id`` is needed where the rule comes inside of its policy."""

    id: Name | None = None
    action: Literal["ALLOW", "DROP", "REJECT"] | None = None
    sequence_number: int | None = Field(default=None, ge=0, le=MAX_SEQUENCE)
    source_groups: list[str] | None = None
    destination_groups: list[str] | None = None
    sources_excluded: bool | None = None
    destinations_excluded: bool | None = None
    services: list[str] | None = None
    service_entries: list[dict[str, Any]] | None = None
    profiles: list[str] | None = None
    scope: list[str] | None = None
    disabled: bool | None = None
    logged: bool | None = None
    direction: Literal["IN", "OUT", "IN_OUT"] | None = None
    ip_protocol: Literal["IPV4", "IPV6", "IPV4_IPV6"] | None = None
    notes: str | None = None
    tag: str | None = None


class NamedRuleBody(RuleBody):
    """A rule inside of its policy."""

    id: Name


class GatewayPolicyBody(PolicyObject):
    """A gateway policy with the rules to write."""

    category: str | None = None
    stateful: bool | None = None
    tcp_strict: bool | None = None
    locked: bool | None = None
    sequence_number: int | None = Field(default=None, ge=0, le=MAX_SEQUENCE)
    scope: list[str] | None = None
    comments: str | None = None
    rules: list[NamedRuleBody] = []


def _network(value: str) -> str:
    ip_network(value, strict=False)
    return value


class Expression(BaseModel):
    """Part of a group; only address expressions have an effect."""

    model_config = ConfigDict(extra="allow")
    resource_type: Literal[
        "Condition",
        "ConjunctionOperator",
        "ExternalIDExpression",
        "IPAddressExpression",
        "IdentityGroupExpression",
        "MACAddressExpression",
        "NestedExpression",
        "PathExpression",
    ]
    ip_addresses: list[Annotated[str, AfterValidator(_network)]] = []


class GroupBody(PolicyObject):
    """A group; without an expression it has no members."""

    expression: list[Expression] | None = None
    extended_expression: list[dict[str, Any]] | None = None
    group_type: list[str] | None = None
