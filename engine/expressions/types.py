"""The types an expression can have, and the scope it is checked against. Data only; no parsing, no evaluation.

A record type is named, not nested (``LinkType("product")``), so that cyclic links stay finite: the scope maps each
record name to its fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """Scalar kinds. ``link``, ``member`` and ``department`` values are ids; ``choices`` is a set of texts."""

    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    LINK = "link"
    MEMBER = "member"
    DEPARTMENT = "department"
    CHOICES = "choices"
    LINES = "lines"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class ValueType:
    """Type of a value.

    Attributes:
        kind: scalar kind.
        record: for ``link`` the form key, for ``lines`` the record name ``form.table``, for ``member`` ``member``:
            the name under which ``Scope.records`` lists the fields that a path may follow.
        choices: for a choice field its allowed values, so that a misspelt literal is found at publish.
    """

    kind: Kind
    record: str = ""
    choices: tuple[str, ...] = ()


NUMBER = ValueType(Kind.NUMBER)
TEXT = ValueType(Kind.TEXT)
BOOLEAN = ValueType(Kind.BOOLEAN)
DATE = ValueType(Kind.DATE)
DATETIME = ValueType(Kind.DATETIME)
MEMBER = ValueType(Kind.MEMBER, "member")
DEPARTMENT = ValueType(Kind.DEPARTMENT)
NOTHING = ValueType(Kind.NOTHING)


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression may see.

    Attributes:
        names: top-level names (fields of the current record, ``me``, ``app``, ``source`` …) and their types.
        records: fields by record name, for paths such as ``product.safety_stock`` and aggregates over ``lines``.
        labels: for the current record and each record in ``records``, label text → key, so that ``数量 * 单价`` may be
            typed; the record name of the current record is ``""``.
    """

    names: Mapping[str, ValueType]
    records: Mapping[str, Mapping[str, ValueType]] = field(default_factory=lambda: MappingProxyType({}))
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Row:
    """A linked record or a line as an expression sees it: its id and the fields that were asked for.

    Two rows are the same record when their ids are equal; a bare link compares by id. A field that is absent from
    ``values`` was not loaded, which is a defect of the caller, not an empty value.
    """

    id: int | None
    values: Mapping[str, object]
