"""Raw input → draft: every value goes through its field type; every problem is collected with its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from types import MappingProxyType

from engine.definitions.compiled import CompiledField, CompiledForm
from engine.document import Document, Line, Value
from engine.fieldtypes.contract import settled
from engine.fieldtypes.moments import FIRST_YEAR, LAST_YEAR
from engine.fieldtypes.open_item import OpenItem, OpenItemOptions, referred
from engine.forms.draft import Draft, LinePatch, Patch, Unresolved
from engine.problems import Problem, problem, suggestion

PEOPLE = MappingProxyType({"member": "member", "department": "department"})
SYSTEM_INPUT = "biz_date"


def parse(form: CompiledForm, patch: Patch, base: Document, old: Document | None) -> Draft:
    """Read ``patch`` over ``base`` (the stored document, or an empty one).

    Unknown fields, values a type cannot read, unknown lines and too many lines become problems; values of computed
    fields are ignored, since they follow from the others.
    """
    problems: list[Problem] = []
    unresolved: list[Unresolved] = []
    given: set[str] = set()
    biz_date = base.biz_date
    values = dict(base.values)
    for key, raw in patch.values.items():
        if key == SYSTEM_INPUT and key not in form.fields and not form.is_master:
            biz_date = _date(raw, problems) or biz_date
            continue
        field = form.fields.get(key)
        if field is None:
            known = (*form.fields, *form.tables)
            problems.append(problem("field.unknown", key, name=key, form=form.label, **suggestion(key, known)))
        elif field.formula is None:
            given.add(key)
            values[key] = _value(field, raw, key, 0, problems, unresolved)
    lines: dict[str, tuple[Line, ...]] = dict(base.lines)
    for table_key, rows in patch.lines.items():
        if table_key not in form.tables:
            problems.append(
                problem(
                    "field.unknown", table_key, name=table_key, form=form.label, **suggestion(table_key, form.tables)
                )
            )
            continue
        lines[table_key] = _lines(form, table_key, rows, base, given, problems, unresolved)
    document = base.with_content(values, MappingProxyType(lines))
    if biz_date != base.biz_date:
        document = replace(document, biz_date=biz_date)
    return Draft(
        document=document, old=old, given=frozenset(given), unresolved=tuple(unresolved), problems=tuple(problems)
    )


def resolved(draft: Draft, form: CompiledForm, found: Mapping[tuple[str, str], int | str]) -> Draft:
    """Put ids in the place of texts; ``found`` maps (target, text) to an id (of an open item, to ``form/id``). What was
    not found is a problem."""
    if not draft.unresolved:
        return draft
    problems = list(draft.problems)
    values = dict(draft.document.values)
    lines = {table: [dict(line.values) for line in rows] for table, rows in draft.document.lines.items()}
    for one in draft.unresolved:
        field = form.field(one.path)
        identity = found.get((one.target, one.text))
        table, _, key = one.path.rpartition(".")
        where = f"{table}.{one.row}.{key}" if table else key
        if identity is None and field is not None:
            problems.append(problem("link.not_found", where, field=field.label, text=one.text))
        if table:
            lines[table][one.row - 1][key] = identity
        else:
            values[key] = identity
    made = {
        table: tuple(line.with_values(new) for line, new in zip(rows, lines[table], strict=True))
        for table, rows in draft.document.lines.items()
    }
    document = draft.document.with_content(values, MappingProxyType(made))
    return replace(draft, document=document, unresolved=(), problems=tuple(problems))


def _lines(
    form: CompiledForm,
    table_key: str,
    rows: tuple[LinePatch, ...],
    base: Document,
    given: set[str],
    problems: list[Problem],
    unresolved: list[Unresolved],
) -> tuple[Line, ...]:
    table = form.tables[table_key]
    known = {line.id: line for line in base.lines.get(table_key, ())}
    made: list[Line] = []
    for number, row in enumerate(rows, start=1):
        where = f"{table_key}.{number}"
        before = known.get(row.id) if row.id is not None else None
        if row.id is not None and before is None:
            problems.append(problem("line.unknown", where, line=number))
        values: dict[str, Value] = dict(before.values) if before else {}
        for key, raw in row.values.items():
            field = table.fields.get(key)
            if field is None:
                problems.append(
                    problem(
                        "field.unknown", f"{where}.{key}", name=key, form=table.label, **suggestion(key, table.fields)
                    )
                )
            elif field.formula is None:
                given.add(f"{where}.{key}")
                values[key] = _value(field, raw, f"{where}.{key}", number, problems, unresolved)
        source = row.source or (before.source if before else None)
        made.append(Line(id=before.id if before else None, number=number, values=values, source=source))
    if len(made) > table.max_rows:
        problems.append(problem("lines.too_many", table_key, table=table.label, most=table.max_rows, count=len(made)))
    return tuple(made)


def _value(
    field: CompiledField, raw: object, where: str, row: int, problems: list[Problem], unresolved: list[Unresolved]
) -> Value:
    target = _meant(field, raw) if isinstance(raw, str) else ""
    if target:
        text = str(raw).strip()
        if text:
            unresolved.append(Unresolved(path=field.path, row=row, target=target, text=text))
        return None
    parsed = field.type.parse(raw, field.options)
    if not isinstance(parsed, tuple):
        return parsed
    value, refusals = settled(parsed)
    problems.extend(replace(one, where=where, params={"field": field.label, **one.params}) for one in refusals)
    return value


def _meant(field: CompiledField, text: str) -> str:
    """What ``text`` has to be looked up in (see ``Unresolved``); empty when it is a value of the field itself."""
    # the name first: pydantic's isinstance takes long to say no
    if field.type_name == OpenItem.name and isinstance(field.options, OpenItemOptions):
        return f"open_item:{field.options.ledger}" if referred(text) is None else ""
    return field.linked if field.type_name == "link" else PEOPLE.get(field.type_name, "")


def _date(raw: object, problems: list[Problem]) -> date | None:
    """The business date, or None and a problem; years as in fields of type ``date``, so that dates can be reckoned."""
    try:
        found = raw if isinstance(raw, date) else date.fromisoformat(str(raw))
    except ValueError:
        problems.append(problem("document.bad_date", "biz_date", text=str(raw)[:40]))
        return None
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        shown, first, last = found.isoformat(), str(FIRST_YEAR), str(LAST_YEAR)
        problems.append(problem("field.date_out_of_range", "biz_date", value=shown, first=first, last=last))
        return None
    return found
