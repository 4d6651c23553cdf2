"""Documents that figures refer to: the numbers of those the person may read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runtime.facade.door import Door
from runtime.facade.lists import row_condition
from runtime.stages.steps import Unit
from runtime.storage import documents
from runtime.storage.records import Place


def numbers(door: Door, unit: Unit, wanted: Iterable[Place]) -> Mapping[Place, str]:
    """Numbers by form and id. A document is absent where its form or its row is not the person's to read."""
    asked = set(wanted)
    forms = {key: door.bundle.forms[key] for key, _ in asked if key in door.bundle.forms}
    readable = {
        key: row_condition(door, unit, form, door.access(form)) for key, form in forms.items() if door.may(form, "read")
    }
    return documents.numbers(unit.connection, unit.tables, asked, readable)
