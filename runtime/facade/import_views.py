"""What pages and the API see of an import: plain frozen values, sentences in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetView:
    """A field a column can fill."""

    path: str
    label: str
    required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnView:
    """A column of the file.

    Attributes:
        letter: ``A``. target: path of the field, empty when it is not imported. why: what a proposal rests on.
        percent: it fills a percentage. scale: 100 when its fractions are read as percent.
        samples: some of its texts.
    """

    index: int
    letter: str
    header: str
    target: str
    target_label: str
    why: str
    percent: bool
    scale: int
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowProblemView:
    """A problem at a cell: ``row`` and ``letter`` as the person sees them; an empty letter means the whole row."""

    row: int
    letter: str
    header: str
    text: str
    hint: str
    severity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRow:
    """One of the first rows, with the problems of its cells by column."""

    number: int
    cells: tuple[str, ...]
    problems: Mapping[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryView:
    """What a trial found.

    Attributes:
        created, updated, skipped, refused: records. rows: rows of the sheet they come from.
        errors, warnings: problems. dropped: row, reason, text of rows that are no records.
        repeats: row, and the row it repeats. totals: sentences where the sheet's own total differs.
    """

    created: int
    updated: int
    skipped: int
    refused: int
    rows: int
    errors: int
    warnings: int
    dropped: tuple[tuple[int, str, str], ...]
    dropped_count: int
    repeats: tuple[tuple[int, int], ...]
    totals: tuple[str, ...]
    sums: Mapping[str, str]
    cut: tuple[str, ...]
    has_total: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressView:
    """How far an import is. ``finished``: nothing moves any more without somebody's doing."""

    id: int
    form: str
    form_label: str
    file_name: str
    mode: str
    action: str
    state: str
    done: int
    total: int
    created: int
    updated: int
    skipped: int
    failed: int
    created_at: datetime
    finished_at: datetime | None
    error: str
    undoable: bool

    @property
    def percent(self) -> int:
        """How much of it is done, 0 to 100."""
        if self.state in ("done", "undone"):
            return 100
        return min(99, self.done * 100 // self.total) if self.total else 0

    @property
    def finished(self) -> bool:
        """Whether it stands still."""
        return self.state not in ("waiting", "running", "undoing")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportView:
    """The page of an import that has not begun.

    Attributes:
        modes: what the form allows. actions: what may be done with new documents.
        summary: None before the trial. earlier: the same file was imported before, then.
        problems: what is wrong with the mapping, as sentences.
    """

    progress: ProgressView
    sheet: str
    sheets: tuple[str, ...]
    header_row: int
    rows: int
    columns: tuple[ColumnView, ...]
    targets: tuple[TargetView, ...]
    modes: tuple[str, ...]
    actions: tuple[str, ...]
    key: tuple[str, ...]
    preview: tuple[PreviewRow, ...]
    summary: SummaryView | None
    earlier: datetime | None
    problems: tuple[str, ...]
    large: bool
