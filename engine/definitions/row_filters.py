"""The expressions of a bundle that a database must be able to answer: views, row filters, cards, filters of links.

Whether it can is for the storage to say; this module only lists them, each with its address.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.definitions.compiled import AppBundle
from engine.definitions.file_kinds import APP, ROLES
from engine.definitions.load import Loaded
from engine.definitions.reading import Place
from engine.definitions.references import field_place, form_place
from engine.expressions import Checked


@dataclass(frozen=True, slots=True)
class RowFilter:
    """An expression that becomes a ``WHERE``.

    Attributes:
        where: address. constants: top-level names whose values are known before the query.
    """

    checked: Checked
    where: str
    constants: frozenset[str]


KNOWN_BEFORE = frozenset({"me", "app"})
KNOWN_WITH_ROW = frozenset({"me", "app", "row"})


def row_filters(loaded: Loaded, bundle: AppBundle) -> Iterator[RowFilter]:
    """Every such expression of the app."""
    for form in bundle.forms.values():
        for index, view in enumerate(form.definition.list.views):
            place = form_place(form.key, "list", "views", index, "where")
            yield _filter(loaded, form.views[view.key], place)
        for field in form.all_fields():
            if field.filter is not None:
                place = field_place(form.key, field.path) / "filter"
                yield _filter(loaded, field.filter, place, KNOWN_WITH_ROW)
    for index, card in enumerate(bundle.cards):
        yield _filter(loaded, card, Place(APP, bundle.app.app, ("cards", index, "where")))
    for key, role in bundle.roles.items():
        for index, grant in enumerate(role.grants):
            for rows in grant.rows.values():
                yield _filter(loaded, rows, Place(ROLES, key, ("grants", index, "rows")))
        if role.stock_rows is not None:
            yield _filter(loaded, role.stock_rows, Place(ROLES, key, ("stock", "rows")))


def _filter(loaded: Loaded, checked: Checked, place: Place, constants: frozenset[str] = KNOWN_BEFORE) -> RowFilter:
    return RowFilter(checked, loaded.where(place.kind, place.name, *place.path), constants)
