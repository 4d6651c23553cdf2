"""The frozen value every engine package talks about: a document (单据) or a master record, with its lines.

Field values by kind: text, choice, phone … ``str``; numbers ``Decimal``; ``bool``; ``date``; ``datetime`` (naive, in
the workspace's zone); links, members, departments the ``int`` id; multi-choice a ``tuple[str, ...]``; attachments a
``tuple[str, ...]`` of file ids; address a frozen mapping; empty is always ``None``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

Value: TypeAlias = str | bool | int | Decimal | date | datetime | tuple[str, ...] | Mapping[str, str] | None
Values: TypeAlias = Mapping[str, Value]
NO_VALUES: Values = MappingProxyType({})
RED = "red"  # ``origin`` of a red document (红字单据), and the variant of the links that lead to it


class DocStatus(StrEnum):
    """单据状态. Master records use ``active`` and ``disabled`` only."""

    DRAFT = "draft"
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    CLOSED = "closed"
    VOIDED = "voided"
    REVERSED = "reversed"
    ACTIVE = "active"
    DISABLED = "disabled"


class ExecStatus(StrEnum):
    """执行状态: derived from the open quantities of the lines, never typed."""

    NONE = "none"
    PARTIAL = "partial"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """The line of an upstream document that a line was pushed down from."""

    form: str
    document: int
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of a line table. ``id`` is None until it is stored; ``number`` counts from 1."""

    id: int | None = None
    number: int
    values: Values
    source: SourceLine | None = None

    def with_values(self, values: Values) -> Line:
        """The same line with other values; every line is made anew several times, so without ``replace``."""
        return Line(id=self.id, number=self.number, values=values, source=self.source)

    def with_id(self, identity: int) -> Line:
        """The same line, stored."""
        return Line(id=identity, number=self.number, values=self.values, source=self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document or master record as it is at one moment.

    Attributes:
        form: form key.
        id: row id, or None before the first save.
        version: optimistic version; 0 before the first save, then 1, 2, …
        number: 单据编号; None before the first save (and for masters, which have a code field instead).
        status: 单据状态.
        exec_status: 执行状态, derived.
        snapshot: hash of the published bundle the document is pinned to.
        creator: user id; department: the creator's department id.
        biz_date: 单据日期; None for masters.
        values: header fields by key. lines: line tables by key.
    """

    form: str
    id: int | None = None
    version: int = 0
    number: str | None = None
    status: DocStatus
    exec_status: ExecStatus = ExecStatus.NONE
    snapshot: str = ""
    creator: int = 0
    department: int | None = None
    created_at: datetime | None = None
    approved_at: datetime | None = None
    approver: int | None = None
    biz_date: date | None = None
    origin: str = "page"
    values: Values = field(default_factory=lambda: NO_VALUES)
    lines: Mapping[str, tuple[Line, ...]] = field(default_factory=lambda: MappingProxyType({}))

    def with_content(self, values: Values, lines: Mapping[str, tuple[Line, ...]]) -> Document:
        """The same document with other content; done at each step of saving, so at half the cost of ``replace``."""
        return Document(
            form=self.form,
            id=self.id,
            version=self.version,
            number=self.number,
            status=self.status,
            exec_status=self.exec_status,
            snapshot=self.snapshot,
            creator=self.creator,
            department=self.department,
            created_at=self.created_at,
            approved_at=self.approved_at,
            approver=self.approver,
            biz_date=self.biz_date,
            origin=self.origin,
            values=values,
            lines=lines,
        )
