"""Values as people read them: formatted by their field type, with the names of what links point to.

Names are collected over a whole page first and loaded with one query per linked form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from engine.definitions.compiled import CompiledField
from engine.document import Value
from engine.fieldtypes.open_item import referred
from engine.labels import Language
from runtime.facade.views import CellView
from runtime.stages.steps import Unit
from runtime.storage import accounts, departments, documents

PEOPLE = ("member", "department")
OPEN_ITEM = "open_item"
REPEATING = ("choice", "boolean")


def target_of(field: CompiledField) -> str:
    """What a field's id names: a form, ``member`` or ``department``; empty for other types."""
    if field.type_name in PEOPLE:
        return field.type_name
    return str(getattr(field.options, "to", "")) if field.type_name == "link" else ""


class Names:
    """Display names of linked records, collected and then loaded at once."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._wanted: dict[str, set[int]] = {}
        self._known: dict[tuple[str, int], str] = {}
        self._numbers: dict[str, set[int]] = {}

    def want(self, field: CompiledField, value: Value) -> None:
        """Note that the name behind this value will be shown."""
        target = target_of(field)
        place = referred(value) if field.type_name == OPEN_ITEM else None
        if place is not None:
            self._numbers.setdefault(place[0], set()).add(place[1])
        if target and isinstance(value, int) and not isinstance(value, bool):
            self.want_id(target, value)

    def want_id(self, target: str, identity: int | None) -> None:
        """Note one id."""
        if identity is not None and (target, identity) not in self._known:
            self._wanted.setdefault(target, set()).add(identity)

    def want_ids(self, target: str, identities: Iterable[int]) -> None:
        """Note several."""
        for identity in identities:
            self.want_id(target, identity)

    def load(self, unit: Unit) -> Names:
        """Load every noted name."""
        for target in sorted(self._wanted):
            ids = self._wanted[target]
            for identity, name in _names(unit, target, ids, self.language).items():
                self._known[target, identity] = name
        self._wanted = {}
        for form in sorted(self._numbers.keys() & unit.tables.forms.keys()):
            rows = documents.load_rows(unit.connection, unit.tables, form, self._numbers[form], frozenset({"number"}))
            self._known.update({(f"{OPEN_ITEM}:{form}", key): str(row.values["number"]) for key, row in rows.items()})
        self._numbers = {}
        return self

    def name(self, target: str, identity: int | None) -> str:
        """The loaded name; the bare id when the record is gone."""
        if identity is None:
            return ""
        return self._known.get((target, identity), f"#{identity}")

    def cell(self, field: CompiledField, value: Value) -> CellView:
        """The cell for a value of ``field``."""
        return self.cells(field)(value)

    def cells(self, field: CompiledField) -> Callable[[Value], CellView]:
        """`cell` for many values of one field: a page has five hundred."""
        kind, options, target, language = field.type, field.options, target_of(field), self.language
        empty = CellView(value=kind.to_json(None, options), text=kind.format(None, options, language))

        def plain(value: Value) -> CellView:
            if value is None:
                return empty
            return CellView(value=kind.to_json(value, options), text=kind.format(value, options, language))

        def linking(value: Value) -> CellView:
            if not isinstance(value, int) or isinstance(value, bool):
                return plain(value)
            link = None if target in PEOPLE else (target, value)
            return CellView(value=kind.to_json(value, options), text=self.name(target, value), link=link)

        def open_item(value: Value) -> CellView:
            place = referred(value)
            if place is None:
                return plain(value)
            return CellView(value=value, text=self.name(f"{OPEN_ITEM}:{place[0]}", place[1]), link=place)

        if field.type_name == OPEN_ITEM:
            return open_item
        made = linking if target else plain
        return _repeating(made) if target or field.type_name in REPEATING else made


def _repeating(made: Callable[[Value], CellView]) -> Callable[[Value], CellView]:
    """``made``, each cell once: a column of links or choices shows the same few values again and again."""
    known: dict[Value, CellView] = {}

    def cell(value: Value) -> CellView:
        found = known.get(value)
        if found is None:
            found = known[value] = made(value)
        return found

    return cell


def _names(unit: Unit, target: str, ids: Iterable[int], language: Language) -> Mapping[int, str]:
    if target == "member":
        return accounts.user_names(unit.connection, ids)
    if target == "department":
        return departments.department_names(unit.connection, ids)
    if target not in unit.tables.forms:
        return {}
    return documents.display_names(unit.connection, unit.tables, target, ids, language)
