"""A list as asked for and as handed out; plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.facade.views import CellView


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequest:
    """What a person asks of a list. Filters are (path, operator, raw value); everything may come from a URL.

    ``tag``: the Chinese text of one, by which tags are kept.
    """

    columns: tuple[str, ...] = ()
    filters: tuple[tuple[str, str, str], ...] = ()
    view: str = ""
    sort: str = ""
    search: str = ""
    tag: str = ""
    after: str = ""
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnView:
    """A column: ``filterable`` by ``operators``; ``to`` is the linked form, ``choices`` its allowed values."""

    path: str
    label: str
    type_name: str
    align: str
    operators: tuple[str, ...] = ()
    to: str = ""
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RowView:
    """A record in a list; cells by path; tags as rules put them on."""

    id: int
    cells: dict[str, CellView]
    status: str
    status_label: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterView:
    """A filter in force, for its chip."""

    path: str
    label: str
    operator: str
    raw: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListView:
    """A page of a list. ``tags``: those in use on the form, by what they are kept by, in words."""

    form: str
    label: str
    kind: str
    columns: tuple[ColumnView, ...]
    rows: tuple[RowView, ...]
    next: str | None
    previous: str | None
    all_columns: tuple[ColumnView, ...]
    views: tuple[tuple[str, str], ...]
    filters: tuple[FilterView, ...]
    sort: str
    actions: tuple[str, ...]
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpHit:
    """A record a look-up found."""

    id: int
    text: str
    detail: str
