"""What the facade hands out: plain frozen values, already masked, already in the reader's language where they are text.

Pages, the API and stories read these and nothing below them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType

from engine.problems import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class CellView:
    """A value: ``value`` in JSON form, ``text`` as people read it, ``link`` (form, id) when it leads to a record."""

    value: object
    text: str
    link: tuple[str, int] | None = None


EMPTY_CELL = CellView(value=None, text="")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldView:
    """A field as this reader may use it. Hidden fields are absent altogether.

    Attributes:
        access: ``read`` or ``write``. required: constant requirement; conditional ones show when they hold.
        conditional: whether it is called for only under a condition (``visible``).
        options: JSON-able options of the type (choices with labels, decimals, to, unit …).
    """

    key: str
    path: str
    table: str
    label: str
    type_name: str
    widget: str
    access: str
    required: bool
    computed: bool
    help: str
    options: Mapping[str, object]
    width: int
    fills: bool
    tags: tuple[str, ...]
    operators: tuple[str, ...]
    numeric: bool
    conditional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TableView:
    """A line table as this reader may use it."""

    key: str
    label: str
    fields: tuple[FieldView, ...]
    min_rows: int
    max_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionView:
    """A group of header fields."""

    label: str
    fields: tuple[FieldView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormView:
    """A form as this reader may use it."""

    key: str
    label: str
    kind: str
    icon: str
    fields: tuple[FieldView, ...]
    tables: tuple[TableView, ...]
    sections: tuple[SectionView, ...]
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """A line with its cells by field key; ``source`` (form, document, line) when it was pushed down."""

    id: int | None
    number: int
    cells: Mapping[str, CellView]
    source: tuple[str, int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionView:
    """A button. When it is not allowed, ``reason`` says why, in the reader's language."""

    key: str
    label: str
    allowed: bool
    reason: str = ""
    primary: bool = False
    needs_reason: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PushView:
    """A push-down button (下推) with the reason when it is missing something."""

    form: str
    variant: str
    label: str
    allowed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainView:
    """A document up (negative level) or down the chain."""

    form: str
    form_label: str
    id: int
    number: str
    status: str
    status_label: str
    level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeView:
    """One changed field of a history row, as texts."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryView:
    """One act in the life of a document."""

    at: datetime
    user: str
    action: str
    reason: str
    changes: tuple[ChangeView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalView:
    """One decision, or (``waiting``) the node and the people it waits for.

    Attributes:
        arrived: since when it had waited, or waits. others: names of the people it is about. signature: a file's id.
    """

    label: str
    user: str
    action: str
    reason: str
    at: datetime | None
    waiting: bool = False
    arrived: datetime | None = None
    others: str = ""
    signature: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentView:
    """A document page. ``editable`` holds the field paths this reader may type in right now.

    Attributes:
        problems: of a preview; empty for what is stored.
        absent: paths of fields nobody is asked for: their ``visible`` does not hold, for a line field on no line, and
            nothing was filled in.
    """

    form: str
    form_label: str
    kind: str
    id: int | None
    number: str
    version: int
    status: str
    status_label: str
    exec_status: str = ""
    exec_label: str = ""
    settle_status: str = ""
    settle_label: str = ""
    title: str = ""
    tags: tuple[str, ...] = ()
    biz_date: date | None = None
    system: Mapping[str, CellView] = field(default_factory=lambda: MappingProxyType({}))
    values: Mapping[str, CellView]
    lines: Mapping[str, tuple[LineView, ...]]
    actions: tuple[ActionView, ...] = ()
    pushes: tuple[PushView, ...] = ()
    chain: tuple[ChainView, ...] = ()
    history: tuple[HistoryView, ...] = ()
    approvals: tuple[ApprovalView, ...] = ()
    editable: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """An open to-do."""

    id: int
    kind: str
    title: str
    form: str
    document: int | None
    since: datetime
    node: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """A message. ``kind``: what it is about (``task``, ``overdue``, ``result`` …); ``body`` may be empty."""

    id: int
    kind: str = "rule"
    title: str
    body: str = ""
    form: str
    document: int | None
    at: datetime
    read: bool
