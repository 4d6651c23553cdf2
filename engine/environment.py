"""What expressions see of a document: its fields under their names, linked records as rows, lines as tuples of rows.

A ``Scene`` is built once per document and stage from values and the linked rows that were loaded for it; nothing is
fetched here. Which rows are needed follows from ``CompiledForm.links`` and is answered by ``wanted_rows``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import TypeAlias

from engine.actor import Actor
from engine.definitions.compiled import AppBundle, CompiledForm
from engine.document import Document, Line, Value
from engine.expressions import Clock
from engine.expressions.types import Row
from engine.fieldtypes.link import LinkOptions

Linked: TypeAlias = Mapping[tuple[str, int], Row]
ALWAYS_WANTED = frozenset({"doc_status"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is the same for every document of a request: definitions, the person, the clock, the company switches."""

    bundle: AppBundle
    actor: Actor
    clock: Clock
    me: Row
    app: Row


def surroundings(bundle: AppBundle, actor: Actor, clock: Clock) -> Surroundings:
    """Put together what stays the same during a request."""
    me = Row(
        id=actor.user,
        values={"name": actor.name, "department": actor.department, "warehouse": None, **actor.attributes},
    )
    return Surroundings(bundle=bundle, actor=actor, clock=clock, me=me, app=Row(id=None, values=bundle.company))


@dataclass(slots=True, kw_only=True)
class Scene:
    """Names of one document.

    Attributes:
        header: names a header expression sees (fields, line tables, system fields, ``me``, ``app``).
        lines: per line table, the fields of each line; ``line`` joins them with the header.
    """

    form: CompiledForm
    header: dict[str, object]
    lines: dict[str, list[dict[str, object]]] = field(default_factory=dict)

    def line(self, table: str, index: int) -> dict[str, object]:
        """Names an expression of line ``index`` (from 0) sees."""
        return {**self.header, **self.lines[table][index], "line_no": index + 1}

    def all_lines(self) -> Mapping[str, Sequence[dict[str, object]]]:
        """Names per line, for every table."""
        return {table: [self.line(table, index) for index in range(len(rows))] for table, rows in self.lines.items()}


def scene(form: CompiledForm, document: Document, linked: Linked, around: Surroundings) -> Scene:
    """The names of ``document``. Linked records that were not loaded appear as bare rows (their id only)."""
    header: dict[str, object] = {
        "id": document.id,
        "number": document.number,
        "doc_status": str(document.status),
        "exec_status": str(document.exec_status),
        "biz_date": document.biz_date,
        "creator": document.creator,
        "department": document.department,
        "created_at": document.created_at,
        "modified_at": None,
        "approver": document.approver,
        "approved_at": document.approved_at,
        "origin": document.origin,
        "version": document.version,
        "me": around.me,
        "app": around.app,
    }
    header.update({key: document.values.get(key) for key in form.fields})
    for key, target in form.link_fields[""]:
        if header[key] is not None:
            header[key] = nested(form, (key,), target, header[key], linked, around)
    made = Scene(form=form, header=header)
    for key, table in form.tables.items():
        rows = [line_values(form, key, line, linked, around) for line in document.lines.get(key, ())]
        made.lines[key] = rows
        header[key] = tuple(
            Row(id=line.id, values=values) for line, values in zip(document.lines.get(key, ()), rows, strict=True)
        )
        assert table.key == key
    return made


def line_values(form: CompiledForm, table: str, line: Line, linked: Linked, around: Surroundings) -> dict[str, object]:
    """Fields of a line with its links as rows."""
    values: dict[str, object] = {key: line.values.get(key) for key in form.tables[table].fields}
    for key, target in form.link_fields[table]:
        if values[key] is not None:
            values[key] = nested(form, (table, key), target, values[key], linked, around)
    return values


def nested(
    form: CompiledForm, path: tuple[str, ...], target: str, value: object, linked: Linked, around: Surroundings
) -> object:
    """A field's value as expressions want it: for a link, a row holding what any expression follows from there."""
    if not target or not isinstance(value, int):
        return value
    wanted = form.links.get(path, frozenset())
    row = linked.get((target, value))
    if row is None or not wanted:
        return Row(id=value, values=row.values if row is not None else MappingProxyType({}))
    values = dict(row.values)
    for name, deeper in around.bundle.forms[target].link_fields[""]:
        if name in values:
            values[name] = nested(form, (*path, name), deeper, values[name], linked, around)
    return Row(id=value, values=values)


def compiled_target(options: object) -> str:
    """The form a link field points to; empty for every other type."""
    return options.to if isinstance(options, LinkOptions) else ""


@dataclass(slots=True)
class Wanted:
    """Rows of one linked form to load, with one query: which ids, which fields."""

    ids: set[int] = field(default_factory=set)
    fields: set[str] = field(default_factory=set)


def wanted_rows(
    form: CompiledForm, documents: Iterable[Document], linked: Linked, bundle: AppBundle
) -> Mapping[str, Wanted]:
    """Linked rows that expressions of ``form`` need and that are not in ``linked`` yet, by linked form.

    Paths longer than one link need several rounds: call again with what was loaded.
    """
    wanted: dict[str, Wanted] = {}
    for document in documents:
        for path, target, value in _link_values(form, document, linked, bundle):
            names = form.links.get(path, frozenset()) | ALWAYS_WANTED
            row = linked.get((target, value))
            if row is None or not names <= row.values.keys():
                want = wanted.setdefault(target, Wanted())
                want.ids.add(value)
                want.fields |= names
    return wanted


def _link_values(
    form: CompiledForm, document: Document, linked: Linked, bundle: AppBundle
) -> Iterator[tuple[tuple[str, ...], str, int]]:
    for key, target in form.link_fields[""]:
        yield from _follow(form, (key,), target, document.values.get(key), linked, bundle)
    for table, lines in document.lines.items():
        for key, target in form.link_fields[table]:
            for line in lines:
                yield from _follow(form, (table, key), target, line.values.get(key), linked, bundle)


def _follow(
    form: CompiledForm, path: tuple[str, ...], target: str, value: Value, linked: Linked, bundle: AppBundle
) -> Iterator[tuple[tuple[str, ...], str, int]]:
    if not target or not isinstance(value, int) or isinstance(value, bool):
        return
    yield path, target, value
    row = linked.get((target, value))
    if row is None or target not in bundle.forms:
        return
    for name in form.links.get(path, frozenset()):
        deeper = bundle.forms[target].fields.get(name)
        if deeper is not None and (*path, name) in form.links:
            inner = row.values.get(name)
            if isinstance(inner, int):
                yield from _follow(form, (*path, name), compiled_target(deeper.options), inner, linked, bundle)


def merged(linked: Linked, more: Linked) -> Linked:
    """``linked`` with further rows; a row loaded twice keeps the fields of both."""
    together = dict(linked)
    for key, row in more.items():
        known = together.get(key)
        together[key] = Row(id=row.id, values={**known.values, **row.values}) if known else row
    return together


def biz_date_of(document: Document, clock: Clock) -> date:
    """The business date postings carry: the document's, or today for records without one."""
    return document.biz_date or clock.today
