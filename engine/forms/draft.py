"""What a caller sends (``Patch``) and what it becomes once every raw value is parsed (``Draft``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from engine.document import Document, SourceLine
from engine.problems import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePatch:
    """One line as sent. ``id`` names an existing line; without it the line is new."""

    id: int | None = None
    values: Mapping[str, object]
    source: SourceLine | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """Raw input: only the header fields that change; a line table that is named replaces the whole table.

    Links may be an id (``int`` or ``{"id": 7}``) or a text: the natural key or the name of the record.
    """

    values: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    lines: Mapping[str, tuple[LinePatch, ...]] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unresolved:
    """A link given as text: where it stands, which form it points to (``member`` and ``department`` for people); of an
    open item, ``open_item:`` and its ledger."""

    path: str
    row: int
    target: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A document in the making.

    Attributes:
        document: parsed values over the old ones. old: what is stored, None for a new document.
        given: addresses the caller typed (``supplier``, ``lines.2.qty``), which defaults and fills must not overwrite.
        unresolved: links given as text, still to be looked up.
    """

    document: Document
    old: Document | None
    given: frozenset[str]
    unresolved: tuple[Unresolved, ...]
    problems: tuple[Problem, ...]
