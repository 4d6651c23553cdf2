"""Links given as text → ids: by natural key, else by how the record is called; people by login or name.

One query per linked form and way of matching. What stays unfound is reported by the engine, with its address.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.forms.draft import Draft
from runtime.stages.open_items import numbered
from runtime.stages.steps import Unit
from runtime.storage import accounts, documents

PEOPLE = ("member", "department")
OPEN_ITEM = "open_item"


def resolve(unit: Unit, drafts: Iterable[Draft]) -> Mapping[tuple[str, str], int | str]:
    """Ids by (target, text) for every unresolved link of the drafts."""
    wanted: dict[str, set[str]] = {}
    for draft in drafts:
        for one in draft.unresolved:
            wanted.setdefault(one.target, set()).add(one.text)
    found: dict[tuple[str, str], int | str] = {}
    for target in sorted(wanted):
        word, _, ledger = target.partition(":")
        if word == OPEN_ITEM:
            found.update({(target, text): place for text, place in numbered(unit, ledger, wanted[target]).items()})
            continue
        for text, identity in ids_of(unit, target, wanted[target]).items():
            found[target, text] = identity
    return found


def ids_of(unit: Unit, target: str, texts: set[str]) -> Mapping[str, int]:
    """Ids of records of ``target`` (a form, ``member`` or ``department``) by what people call them."""
    if target in PEOPLE:
        return accounts.find_people(unit.connection, target, texts)
    form = unit.bundle.forms.get(target)
    if form is None:
        return {}
    keys = [key[0] for key in form.definition.keys if len(key) == 1]
    ways = dict.fromkeys([*keys, *(path for path in form.definition.search if path in form.fields), "number"])
    found: dict[str, int] = {}
    for path in ways:
        left = texts - found.keys()
        if not left or (path == "number" and form.is_master) or not _is_text(form.fields.get(path)):
            continue
        for value, identity in documents.find_ids(unit.connection, unit.tables, target, path, sorted(left)).items():
            found[str(value)] = identity
    return found


def _is_text(field: object) -> bool:
    return field is None or getattr(field, "type_name", "text") in ("text", "long_text", "barcode", "serial_number")
