"""The few facts by which people recognise a document in a list of mixed forms: number, state, title fields, amount."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engine.definitions.compiled import CompiledForm
from engine.document import DocStatus
from engine.permissions import FormAccess
from engine.workflow.lifecycle import STATUS_LABELS
from runtime.facade.cells import Names, target_of
from runtime.facade.door import Door
from runtime.facade.lists import row_condition
from runtime.stages.steps import Unit
from runtime.storage import lists
from runtime.storage.lists import ListQuery

MOST_FACTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is told of one document: ``facts`` of its title, ``amount`` as people read it (may be empty)."""

    number: str
    status: str
    status_label: str
    facts: tuple[str, ...] = ()
    amount: str = ""


def facts_of(door: Door, unit: Unit, wanted: Mapping[str, Iterable[int]]) -> Mapping[tuple[str, int], Facts]:
    """Facts of the documents the person may read, by (form, id); one question per form."""
    found: dict[tuple[str, int], Facts] = {}
    for key in sorted(wanted):
        form, ids = door.bundle.forms.get(key), sorted(set(wanted[key]))
        if form is None or not ids or not door.may(form, "read"):
            continue
        found |= {(key, identity): facts for identity, facts in _of_form(door, unit, form, ids).items()}
    return found


def _of_form(door: Door, unit: Unit, form: CompiledForm, ids: list[int]) -> dict[int, Facts]:
    access = door.access(form)
    titles, amount = _shown(form, access)
    paths = tuple(dict.fromkeys((*titles, *([amount] if amount else []))))
    rows = row_condition(door, unit, form, access)
    among = unit.tables.forms[form.key].header.c.id.in_(ids)
    columns = (*([] if form.is_master else ["number"]), "doc_status", *paths)
    query = ListQuery(columns=columns, where=among if rows is None else among & rows, limit=len(ids))
    page = lists.page(unit.connection, unit.tables, form.key, query)
    names = Names(door.language)
    for path in paths:
        for row in page.rows:
            names.want(form.fields[path], row[path])
    names.load(unit)
    made: dict[int, Facts] = {}
    for row in page.rows:
        texts = [names.cell(form.fields[path], row[path]).text for path in titles]
        made[int(str(row["id"]))] = Facts(
            number=str(row.get("number") or ""),
            status=str(row["doc_status"]),
            status_label=STATUS_LABELS[DocStatus(str(row["doc_status"]))].text(door.language),
            facts=tuple(text for text in texts if text),
            amount=names.cell(form.fields[amount], row[amount]).text if amount and row[amount] is not None else "",
        )
    return made


def _shown(form: CompiledForm, access: FormAccess) -> tuple[tuple[str, ...], str]:
    """Readable title fields, and the amount of the document: the first money among the columns of its list; without
    one the last money field that is computed, else the last."""
    titles = [path for path in form.definition.title if path in form.fields and access.readable(path)]
    money = [
        field for field in form.fields.values() if field.type_name == "money" and access.readable(field.path)
    ]  # fmt: skip
    computed = [field for field in money if field.formula is not None]
    listed = {path: number for number, path in enumerate(form.definition.list.columns)}
    shown = sorted((field for field in money if field.path in listed), key=lambda field: listed[field.path])
    last = shown[:1] or (computed or money)[-1:]
    kept = tuple(path for path in titles if target_of(form.fields[path]) != "lines")[:MOST_FACTS]
    return kept, last[0].path if last else ""
