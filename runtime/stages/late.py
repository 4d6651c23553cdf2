"""Facts that are read when they are first asked for: most documents never need them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Late(Mapping[K, V]):
    """A mapping found by ``find``, once, on the first look into it."""

    def __init__(self, find: Callable[[], Mapping[K, V]]) -> None:
        self._find = find
        self._found: Mapping[K, V] | None = None

    def _read(self) -> Mapping[K, V]:
        if self._found is None:
            self._found = self._find()
        return self._found

    def __getitem__(self, key: K) -> V:
        return self._read()[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())
