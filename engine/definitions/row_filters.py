"""The expressions of a bundle a database must be able to answer: views, row filters, cards, links, fetches, look-ups.

Whether it can is for the storage to say; this module only lists them, each with its address.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.definitions.compiled import AppBundle
from engine.definitions.file_kinds import APP, ROLES, RULES
from engine.definitions.load import Loaded
from engine.definitions.reading import Place
from engine.definitions.references import field_place, form_place
from engine.definitions.rule_scopes import CONSTANT
from engine.definitions.system_fields import SYSTEM_TYPES
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
        for index, fetch in enumerate(form.fetches):
            if fetch.where is not None:
                yield _filter(loaded, fetch.where, form_place(form.key, "fetches", index, "where"), KNOWN_WITH_ROW)
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
    yield from _of_rules(loaded, bundle)


def _of_rules(loaded: Loaded, bundle: AppBundle) -> Iterator[RowFilter]:
    """What look-ups leave to the database beside their keys, and the records an update means."""
    for key, rule in bundle.rules.items():
        for name, lookup in rule.lookups.items():
            if lookup.rest is not None and lookup.definition.form is not None and lookup.definition.table is None:
                yield _filter(loaded, lookup.rest, Place(RULES, key, ("lookups", name, "where")), CONSTANT)
        for at, checked in rule.expressions.items():
            if at[-2:] == ("update", "where"):
                names = rule.definition.then[int(at[1])].update
                own = bundle.forms[names.form].fields if names is not None and names.form is not None else {}
                known = {path[0] for path in checked.names if path[0] not in own and path[0] not in SYSTEM_TYPES}
                yield _filter(loaded, checked, Place(RULES, key, at), CONSTANT | known)


def _filter(loaded: Loaded, checked: Checked, place: Place, constants: frozenset[str] = KNOWN_BEFORE) -> RowFilter:
    return RowFilter(checked, loaded.where(place.kind, place.name, *place.path), constants)
