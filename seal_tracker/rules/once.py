"""What is worked out when it is first asked for, and kept: as ``functools.cached_property``, which before Python 3.12 takes a lock. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["once"]

T = TypeVar("T")


class once(Generic[T]):  # noqa: N801 - reads as what it is, a decorator
    """A property of an object that one thread has at a time; the value lies in the object's ``__dict__``."""

    def __init__(self, work_out: Callable[..., T]) -> None:
        self._work_out = work_out
        self._name = work_out.__name__
        self.__doc__ = work_out.__doc__

    def __get__(self, of: object, _kind: type | None = None) -> T:
        value = of.__dict__[self._name] = self._work_out(of)
        return value
