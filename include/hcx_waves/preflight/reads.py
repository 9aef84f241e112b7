"""Properties that are read once, when first needed, whether the read succeeds or fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

from hcx_waves.clients.errors import ClientError

Owner = TypeVar("Owner")
Value = TypeVar("Value")


class ReadOnce(Generic[Value]):
    """A property that is read once; a product's error is kept as well and raised for everybody who asks."""

    def __init__(self, read: Callable[[Any], Value]) -> None:
        self._read = read
        self._name = f"_read_{read.__name__}"
        self.__doc__ = read.__doc__

    @overload
    def __get__(self, owner: None, kind: type[Any]) -> ReadOnce[Value]: ...

    @overload
    def __get__(self, owner: object, kind: type[Any]) -> Value: ...

    def __get__(self, owner: object | None, kind: type[Any]) -> ReadOnce[Value] | Value:
        if owner is None:
            return self
        kept = vars(owner)
        if self._name not in kept:
            try:
                kept[self._name] = (self._read(owner), None)
            except ClientError as error:
                kept[self._name] = (None, error)
        value, failure = kept[self._name]
        if failure is not None:
            raise failure
        result: Value = value
        return result
