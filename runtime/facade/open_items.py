"""Open documents of a partner, for the look-up of an ``open_item`` field."""

from __future__ import annotations

from engine.fieldtypes.open_item import OpenItemOptions
from engine.problems import Refused, problem
from runtime.facade.door import Door
from runtime.facade.referred import numbers
from runtime.storage import open_items as rows

MOST = 20


def look_up(door: Door, form: str, path: str, partner: int | None, text: str) -> tuple[tuple[str, str, str], ...]:
    """What ``partner`` has open in the ledger of the field ``path``: (reference, number, date · open · due).

    Only documents the person may read are told; the search is in their numbers. Nobody's documents without a partner.

    Raises:
        Refused: ``missing`` when the field is none of this type.
    """
    compiled = door.form(form)
    field = compiled.field(path)
    if field is None or not isinstance(field.options, OpenItemOptions) or not door.access(compiled).readable(path):
        raise Refused([problem("web.no_page")], "missing")
    if partner is None:
        return ()
    found: list[tuple[str, str, str]] = []
    with door.reading() as unit:
        items = rows.open_items(unit.connection, field.options.ledger, partner)
        known = numbers(door, unit, {(one.form, one.document) for one in items})
    places = door.bundle.app.settings.money_decimals
    for one in items:
        number = known.get((one.form, one.document), "")
        if number and text.lower() in number.lower():
            due = f" · {one.due.isoformat()}" if one.due else ""
            found.append((f"{one.form}/{one.document}", number, f"{one.day.isoformat()} · {one.open:,.{places}f}{due}"))
    return tuple(found[:MOST])
