"""Open documents named on lines (核销): numbers → references, and what is open of them filled into the row.

Who may settle how much is decided under lock when the document is posted; here people are told early and rows are
filled as they are typed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from engine.definitions.compiled import AppBundle, CompiledField, CompiledForm
from engine.document import Line, Value
from engine.fieldtypes.open_item import OpenItem as OpenItemField
from engine.fieldtypes.open_item import OpenItemOptions, referred
from engine.forms.draft import Draft
from engine.problems import Problem, problem
from runtime.stages.steps import Unit
from runtime.storage import documents
from runtime.storage.open_items import SETTLED_LEDGERS, OpenItem, items_of

SELF = "self"


def opening_forms(bundle: AppBundle, ledger: str) -> tuple[str, ...]:
    """Forms whose documents open amounts in ``ledger``."""
    return tuple(
        form
        for form, postings in bundle.postings.items()
        if any(
            one.definition.ledger == ledger and one.definition.refer == SELF
            for posting in postings
            for one in posting.entries.get("approve", ())
        )
    )


def opens_amounts(bundle: AppBundle, form: str) -> bool:
    """Whether documents of ``form`` open amounts, and so have a 结算状态."""
    return any(form in opening_forms(bundle, ledger) for ledger in SETTLED_LEDGERS)


def numbered(unit: Unit, ledger: str, numbers: set[str]) -> Mapping[str, str]:
    """``form/id`` of documents by their numbers, among the forms that open amounts in ``ledger``."""
    found: dict[str, str] = {}
    for form in opening_forms(unit.bundle, ledger):
        left = sorted(numbers - found.keys())
        if left:
            hits = documents.find_ids(unit.connection, unit.tables, form, "number", left)
            found.update({str(number): f"{form}/{identity}" for number, identity in hits.items()})
    return found


def filled(unit: Unit, form: CompiledForm, draft: Draft) -> Draft:
    """``draft`` with what its open items fill in, and a problem for each that has nothing open for its partner."""
    fields = tuple(_fields(form))
    if not fields:
        return draft
    known = _known(unit, draft, fields)
    problems: list[Problem] = list(draft.problems)
    lines = dict(draft.document.lines)
    before = {
        line.id: line.values for rows in (draft.old.lines.values() if draft.old else ()) for line in rows if line.id
    }
    for field, options in fields:
        partner = draft.document.values.get(options.partner)
        made: list[Line] = []
        for line in lines.get(field.table, ()):
            value = line.values.get(field.key)
            where = f"{field.table}.{line.number}."
            item = known.get((options.ledger, str(value))) if value is not None else None
            if value is not None and (item is None or item.partner != partner or not item.open):
                problems.append(_closed(unit, value, f"{where}{field.key}"))
                item = None
            picked = before.get(line.id or 0, {}).get(field.key) != value
            made.append(replace(line, values=_row(form, field, options, line, item, picked, draft.given, where)))
        lines[field.table] = tuple(made)
    document = replace(draft.document, lines=MappingProxyType(lines))
    return replace(draft, document=document, problems=tuple(problems))


def _fields(form: CompiledForm) -> Iterator[tuple[CompiledField, OpenItemOptions]]:
    for field in form.all_fields():
        # the name first: pydantic's isinstance takes long to say no
        if field.table and field.type_name == OpenItemField.name and isinstance(field.options, OpenItemOptions):
            yield field, field.options


def _known(
    unit: Unit, draft: Draft, fields: tuple[tuple[CompiledField, OpenItemOptions], ...]
) -> Mapping[tuple[str, str], OpenItem]:
    wanted: dict[str, set[tuple[str, int]]] = {}
    for field, options in fields:
        for line in draft.document.lines.get(field.table, ()):
            place = referred(line.values.get(field.key))
            if place is not None:
                wanted.setdefault(options.ledger, set()).add(place)
    return {
        (ledger, text): item
        for ledger in sorted(wanted)
        for text, item in items_of(unit.connection, ledger, wanted[ledger]).items()
    }


def _closed(unit: Unit, value: Value, where: str) -> Problem:
    place = referred(value)
    number = str(value)
    if place is not None and place[0] in unit.bundle.forms:
        rows = documents.load_rows(unit.connection, unit.tables, place[0], [place[1]], frozenset({"number"}))
        number = str(rows[place[1]].values.get("number") or number) if place[1] in rows else number
    return problem("field.open_item_closed", where, number=number)


def _row(
    form: CompiledForm,
    field: CompiledField,
    options: OpenItemOptions,
    line: Line,
    item: OpenItem | None,
    picked: bool,
    given: frozenset[str],
    where: str,
) -> Mapping[str, Value]:
    values = dict(line.values)
    figures: Mapping[str, Value] = (
        {"open": item.open, "total": item.total, "due": item.due, "day": item.day} if item is not None else {}
    )
    for key, figure in options.fills.items():
        target = form.tables[field.table].fields.get(key)
        follows = target is not None and target.readonly is True
        if follows or (picked and f"{where}{key}" not in given and item is not None):
            values[key] = figures.get(figure)
    return values
