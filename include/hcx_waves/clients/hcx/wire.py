"""HCX's protocol: two response envelopes, several forms of errors, and XML while it starts up.

Sources: the envelopes and their errors [D+C hcx 1]; errors inside HTTP 200/202 [C hcx 1]
(cloudConfigs); the XML start-up body [C hcx 2]; the 9443 style [D hcx 1].
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from hcx_waves.clients.errors import (
    AuthenticationFailed,
    ClientError,
    ConflictError,
    ErrorContext,
    Lookup,
    MalformedResponse,
    OutcomeUnknownError,
    ServiceUnavailable,
    ValidationFailed,
)
from hcx_waves.clients.json_values import as_mapping, as_text
from hcx_waves.clients.transport import RestTransport
from hcx_waves.clients.transport_faults import VendorWords, error_for_status
from hcx_waves.clients.transport_retry import CallKind
from hcx_waves.clients.transport_wire import Call, Reply

API = "/hybridity/api"
Query = Mapping[str, str | int | bool | None]
Model = TypeVar("Model", bound=BaseModel)

_MOST_PAGES = 2000
_SCHEDULE_PARTS = frozenset({"migrations", "mobilityGroupDefaults"})
_XML_STRING = re.compile(r"<string>([^<]*)</string>")
_DUPLICATE_GROUP = re.compile(r"(?i)\bsame name exist")


class HcxDialect:
    """Reads HCX's errors, including those that arrive with a 2xx status."""

    system = "hcx"

    def fault(
        self, reply: Reply, context: ErrorContext, *, with_session: bool, retry_after_seconds: float | None
    ) -> ClientError | None:
        """Return the error a reply stands for, or None."""
        if reply.text.lstrip().startswith("<") and "<entry" in reply.text:
            starting: ErrorContext = {**context, "vendor_message": _xml_message(reply.text)}
            return ServiceUnavailable(
                "the manager is still starting up", retry_after_seconds=retry_after_seconds, **starting
            )
        words = words_of(reply.body)
        if reply.is_success:
            return _embedded_fault(reply.body, words, context)
        if words.message and _DUPLICATE_GROUP.search(words.message):
            facts: ErrorContext = {**context, "vendor_code": words.code, "vendor_message": words.message}
            return ConflictError("a mobility group of this name exists", **facts)
        return error_for_status(
            reply.status,
            words,
            context,
            with_session=with_session,
            retry_after_seconds=retry_after_seconds,
        )


class HcxAnswer:
    """A successful answer with readers for its envelope.

    A reader that meets another shape raises ``MalformedResponse``; for a mutating call that is an
    ``OutcomeUnknownError``, since the product accepted something and did not say what.
    """

    def __init__(self, reply: Reply, context: ErrorContext, call: Call) -> None:
        self.reply = reply
        self._context = context
        self._call = call

    @property
    def body(self) -> Any:
        """The JSON body."""
        return self.reply.body

    def items(self) -> list[dict[str, Any]]:
        """Return the listed objects of either envelope (``data.items``, ``items``, ``rows``).

        An answer that lists nothing at all is malformed rather than empty: an empty list read out of a
        wrong answer would let a look-up say "it does not exist".
        """
        found = _listed(self.body)
        if found is None or not all(isinstance(item, dict) for item in found):
            raise self.malformed("the answer has no list of items (data.items, items or rows)")
        return list(found)

    def mapping(self) -> dict[str, Any]:
        """Return the body, or its ``data`` member if that is where the object is."""
        body = self.body
        if isinstance(body, dict) and isinstance(body.get("data"), dict) and body["data"]:
            body = body["data"]
        if not isinstance(body, dict):
            raise self.malformed("the answer is not an object")
        return dict(body)

    def parse(self, kind: type[Model], data: Any) -> Model:
        """Parse an object by a model."""
        try:
            return kind.model_validate(data)
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
                for problem in error.errors(include_url=False, include_input=False)[:5]
            )
            raise self.malformed(f"not a {kind.__name__}: {problems}") from error

    def parse_items(self, kind: type[Model]) -> tuple[Model, ...]:
        """Parse every listed object by a model."""
        return tuple(self.parse(kind, item) for item in self.items())

    def require_accepted(self) -> None:
        """Refuse an answer that names an error anywhere, on top or of an item: a 2xx or 207 proves nothing.

        :raises ValidationFailed: with what HCX said.
        """
        words = words_of(self.body)
        if words.items or words.messages or _names_error(self.body):
            raise self._refused(words)

    def fault(self) -> ClientError | None:
        """Return the error of an answer that lists items and names errors on top of them, or None.

        Of a list it says that the list is not whole, of a change that HCX refused it, or at least a part: then it
        is not known what was done.
        """
        if not _names_error(self.body):
            return None
        words = words_of(self.body)
        clean = [one for one in _listed(self.body) or [] if isinstance(one, Mapping) and not one.get("errors")]
        if self._call.kind is not CallKind.MUTATING or not clean:
            return self._refused(words)
        return OutcomeUnknownError(
            "the product answered with errors and with items that have none, so what it did is not known",
            lookup=self._call.lookup,
            cause=self._refused(words),
            **self._context,
        )

    def _refused(self, words: VendorWords) -> ValidationFailed:
        facts: ErrorContext = {**self._context, "vendor_code": words.code, "vendor_message": words.message}
        return ValidationFailed("the product refused the call", items=words.items, messages=words.messages, **facts)

    def malformed(self, message: str) -> ClientError:
        """Build the error for an answer of an unexpected shape."""
        error = MalformedResponse(message, snippet=self.reply.snippet, **self._context)
        if self._call.kind is CallKind.READ:
            return error
        return OutcomeUnknownError(
            f"the call was accepted, and its effect is not known: {message}",
            lookup=self._call.lookup,
            cause=error,
            **self._context,
        )


class HcxCalls:
    """Base of the groups of calls: sends below ``/hybridity/api`` and wraps the answer."""

    _transport: RestTransport

    def _get(self, path: str, query: Query | None = None) -> HcxAnswer:
        return self._send("GET", path, CallKind.READ, query=query)

    def _ask(self, path: str, body: Any, query: Query | None = None) -> HcxAnswer:
        """POST a query, which changes nothing."""
        return self._send("POST", path, CallKind.READ, query=query, body=body)

    def _send(
        self,
        method: str,
        path: str,
        kind: CallKind,
        *,
        query: Query | None = None,
        body: Any = None,
        lookup: Lookup | None = None,
    ) -> HcxAnswer:
        call = Call(
            method,
            API + path,
            kind,
            query=query or {},
            json=body,
            headers={"Content-Type": "application/json"},
            lookup=lookup,
        )
        reply = self._transport.send(call)
        answer = HcxAnswer(reply, self._transport.context(call, reply), call)
        fault = answer.fault()
        if fault is not None:
            raise fault
        return answer

    def _pages(
        self, path: str, body: Mapping[str, Any], *, page_size: int, query: Query | None = None, key: str = ""
    ) -> Iterator[tuple[HcxAnswer, dict[str, Any]]]:
        """Yield the items of a paged query, page by page.

        Ends at the announced total, or without one on a short page (a server may serve fewer than asked
        for), or when a page brings nothing new (a server that ignores the offset).
        """
        seen: set[str] = set()
        offset = 0
        for _ in range(_MOST_PAGES):
            paging = {"pageSize": page_size, "offset": offset, "skipCount": offset}
            answer = self._ask(path, {**body, "paging": paging}, query)
            page = answer.items()
            fresh = [item for item in page if _identity(item, key) not in seen]
            for item in fresh:
                seen.add(_identity(item, key))
                yield answer, item
            offset += len(page)
            total = _announced_total(answer.body)
            complete = len(page) < page_size if total is None else offset >= total
            if complete or not fresh:
                return
        raise answer.malformed(f"the list does not end after {_MOST_PAGES} pages")


def words_of(body: Any) -> VendorWords:
    """Read an error body of any of HCX's shapes; all members are optional."""
    if not isinstance(body, Mapping):
        return VendorWords()
    notices = [*_notices(body.get("errors")), *_notices(as_mapping(body.get("data")).get("errors"))]
    items = []
    for item in (*_with_members(_listed(body) or []), *_schedule_refusals(body.get("errors"))):
        if isinstance(item, Mapping):
            own = [*_notices(item.get("errors"))]
            if own:
                items.append(_refused_item(item, own))
            notices.extend(own)
    if body.get("errorCode") is not None or isinstance(body.get("error"), str):
        notices.append((as_text(body.get("errorCode")), as_text(body.get("error"))))
    if not notices and isinstance(body.get("message"), str):
        notices.append((None, body["message"]))
    messages = [message for _, message in notices if message]
    return VendorWords(
        code=next((code for code, _ in notices if code), None),
        message="; ".join(dict.fromkeys(messages)) or None,
        items=items,
        messages=messages,
    )


def _notices(errors: Any) -> Iterator[tuple[str | None, str | None]]:
    """Yield (code, message) of ``[{code,message}]``, ``[{error,text}]``, one such object alone, or plain texts."""
    if isinstance(errors, str) or (isinstance(errors, Mapping) and not _SCHEDULE_PARTS & errors.keys()):
        errors = [errors] if errors else []
    for error in errors if isinstance(errors, list) else []:
        if isinstance(error, Mapping):
            code = as_text(error.get("code") or error.get("error"))
            yield code, as_text(error.get("message") or error.get("text") or error.get("error"))
        elif error is not None:
            yield None, as_text(error)


def _names_error(body: Any) -> bool:
    """Whether an answer names an error of the call as a whole, in any of the shapes."""
    if not isinstance(body, Mapping):
        return False
    inside = as_mapping(body.get("data")).get("errors")
    return bool([*_notices(body.get("errors")), *_notices(inside)])


def _with_members(items: Iterable[Any]) -> Iterator[Any]:
    """Yield items, and after a mobility group its migrations, which have errors of their own [D hcx 4.4]."""
    for item in items:
        yield item
        members = item.get("migrations") if isinstance(item, Mapping) else None
        yield from members if isinstance(members, list) else []


def _schedule_refusals(errors: Any) -> list[Any]:
    """Return the refusals of a reschedule: ``errors{migrations:[{id,errors}], mobilityGroupDefaults}`` [D hcx 4.4]."""
    if not isinstance(errors, Mapping):
        return []
    migrations = errors.get("migrations")
    defaults = errors.get("mobilityGroupDefaults")
    named = [
        {"migrationId": one.get("id"), "errors": one.get("errors")}
        for one in (migrations if isinstance(migrations, list) else [])
        if isinstance(one, Mapping)
    ]
    if isinstance(defaults, Mapping):
        named.append({"migrationGroupId": defaults.get("id"), "errors": defaults.get("errors")})
    return named


def _refused_item(item: Mapping[str, Any], notices: Sequence[tuple[str | None, str | None]]) -> dict[str, Any]:
    return {
        "migration_id": as_text(item.get("migrationId")),
        "migration_group_id": as_text(item.get("migrationGroupId")),
        "entity_id": as_text(item.get("entityId")),
        "errors": [{"code": code, "message": message} for code, message in notices],
        "warnings": [message for _, message in _notices(item.get("warnings")) if message],
    }


def _embedded_fault(body: Any, words: VendorWords, context: ErrorContext) -> ClientError | None:
    """Find the error inside a 2xx answer: ``success: false``, or errors and nothing else."""
    if not isinstance(body, Mapping):
        return None
    refused = body.get("success") is False
    errors_only = _names_error(body) and not _listed(body)
    if not (refused or errors_only):
        return None
    facts: ErrorContext = {**context, "vendor_code": words.code, "vendor_message": words.message}
    if words.code == "Login failure":
        return AuthenticationFailed("the credentials were refused", **facts)
    return ValidationFailed("the product refused the call", items=words.items, messages=words.messages, **facts)


def _listed(body: Any) -> list[Any] | None:
    """Return the list of either envelope, or None if the body lists nothing."""
    if isinstance(body, list):
        return body
    if not isinstance(body, Mapping):
        return None
    for holder in (body.get("data"), body):
        if isinstance(holder, list):
            return holder
        if isinstance(holder, Mapping):
            for name in ("items", "rows"):
                if isinstance(holder.get(name), list):
                    return list(holder[name])
    return None


def _announced_total(body: Any) -> int | None:
    for holder in (body, body.get("data") if isinstance(body, Mapping) else None):
        paging = holder.get("paging") if isinstance(holder, Mapping) else None
        total = paging.get("totalSize") if isinstance(paging, Mapping) else None
        if isinstance(total, int):
            return total
    return None


def _identity(item: Mapping[str, Any], key: str) -> str:
    return str(item.get(key) or item.get("entity_id") or item.get("id") or sorted(item.items(), key=str))


def _xml_message(text: str) -> str | None:
    found = [part for part in _XML_STRING.findall(text) if part != "message"]
    return "; ".join(found) or None
