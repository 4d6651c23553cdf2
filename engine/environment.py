"""What expressions see of a document: its fields under their names, linked records as rows, lines as tuples of rows.

A ``Scene`` is built once per document and stage from values and the linked rows that were loaded for it; nothing is
fetched here. Which rows are needed follows from ``CompiledForm.links`` and is answered by ``wanted_rows``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import TypeAlias

from engine.actor import Actor
from engine.definitions.compiled import AppBundle, CompiledField, CompiledForm, Trail
from engine.document import Document
from engine.expressions import Clock
from engine.expressions.types import Row

Linked: TypeAlias = Mapping[tuple[str, int], Row]
NOTHING_READ: Mapping[str, object] = MappingProxyType({})


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
    _joined: dict[str, list[dict[str, object]]] | None = field(default=None, init=False, repr=False, compare=False)

    def line(self, table: str, index: int) -> dict[str, object]:
        """Names an expression of line ``index`` (from 0) sees."""
        return self.all_lines()[table][index]

    def all_lines(self) -> Mapping[str, Sequence[dict[str, object]]]:
        """Names per line, for every table; joined once, when they are first asked for."""
        if self._joined is None:
            self._joined = {
                table: [{**self.header, **row, "line_no": number} for number, row in enumerate(rows, start=1)]
                for table, rows in self.lines.items()
            }
        return self._joined

    def put(self, key: str, value: object) -> None:
        """Show another value of a header field, to lines too unless a field of theirs has its name."""
        self.header[key] = value
        for table, rows in (self._joined or {}).items():
            if key not in self.form.tables[table].fields:
                for row in rows:
                    row[key] = value


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
    values = document.values
    header.update({key: values.get(key) for key in form.fields})
    _join(header, form.trails[""], linked)
    made = Scene(form=form, header=header)
    for key, table in form.tables.items():
        lines, trails, rows = document.lines.get(key, ()), form.trails[key], []
        for line in lines:
            values = line.values
            row: dict[str, object] = {name: values.get(name) for name in table.fields}
            _join(row, trails, linked)
            rows.append(row)
        made.lines[key] = rows
        header[key] = tuple([Row(line.id, row) for line, row in zip(lines, rows, strict=True)])
    return made


def _join(row: dict[str, object], trails: tuple[Trail, ...], linked: Linked) -> None:
    for trail in trails:
        value = row[trail.key]
        if value is not None:
            row[trail.key] = joined(trail, value, linked)


def shown(form: CompiledForm, field: CompiledField, value: object, linked: Linked) -> object:
    """A value of ``field`` as expressions want it: for a link, a row holding what any expression follows from there."""
    if not field.linked:
        return value
    return joined(next(each for each in form.trails[field.table] if each.key == field.key), value, linked)


def joined(trail: Trail, value: object, linked: Linked) -> object:
    """The row in the place of a link's id."""
    if not isinstance(value, int):
        return value
    row = linked.get((trail.form, value))
    if row is None:
        return Row(value, NOTHING_READ)
    if not trail.onward:
        return row
    values = dict(row.values)
    for onward in trail.onward:
        further = values.get(onward.key)
        if further is not None:
            values[onward.key] = joined(onward, further, linked)
    return Row(value, values)


@dataclass(slots=True)
class Wanted:
    """Rows of one linked form to load, with one query: which ids, which fields."""

    ids: set[int] = field(default_factory=set)
    fields: set[str] = field(default_factory=set)


def wanted_rows(form: CompiledForm, documents: Iterable[Document], linked: Linked) -> Mapping[str, Wanted]:
    """Linked rows that expressions of ``form`` need and that are not in ``linked`` yet, by linked form.

    Paths longer than one link need several rounds: call again with what was loaded.
    """
    wanted: dict[str, Wanted] = {}
    listed = tuple(documents)
    for trail in form.trails[""]:
        _want(trail, {document.values.get(trail.key) for document in listed}, linked, wanted)
    for table in form.tables:
        lines = [line for document in listed for line in document.lines.get(table, ())]
        for trail in form.trails[table]:
            _want(trail, {line.values.get(trail.key) for line in lines}, linked, wanted)
    return wanted


def _want(trail: Trail, values: Iterable[object], linked: Linked, wanted: dict[str, Wanted]) -> None:
    for value in values:
        if not isinstance(value, int):
            continue
        row = linked.get((trail.form, value))
        if row is None or not trail.wanted <= row.values.keys():
            want = wanted.setdefault(trail.form, Wanted())
            want.ids.add(value)
            want.fields |= trail.wanted
        if row is not None:
            for onward in trail.followed:
                _want(onward, (row.values.get(onward.key),), linked, wanted)


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
