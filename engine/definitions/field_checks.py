"""Cross-reference checks of the fields of a form: names, links, ids, line tables, formulas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.definitions.compiled import AppBundle, CompiledField, CompiledForm
from engine.definitions.load import Loaded
from engine.definitions.pages import PAGES
from engine.definitions.references import (
    all_fields,
    caution,
    complaint,
    field_place,
    form_place,
    is_table,
    row_of,
    tables_of,
    unknown,
    unknown_form,
    unknown_role,
)
from engine.definitions.scopes import APP_RECORD, MEMBER_RECORD
from engine.definitions.system_fields import LINE_NUMBER, RESERVED, system_fields
from engine.expressions import Kind, Scope, ValueType
from engine.fieldtypes.contract import Storage
from engine.fieldtypes.link import LinkOptions
from engine.fieldtypes.open_item import OpenItemOptions
from engine.fieldtypes.price import unit_of
from engine.problems import Problem, suggestion

UNIQUE_STORAGE = (
    Storage.TEXT, Storage.DATE, Storage.DATETIME, Storage.INTEGER, Storage.SCALED, Storage.REFERENCE,
)  # fmt: skip
FORMULA = "formula"
MOST_FIELDS = 300


def names_are_free(loaded: Loaded) -> Iterator[Problem]:
    """No form or field takes a name that expressions already give a meaning."""
    for key, form in loaded.forms.items():
        if key in (APP_RECORD, MEMBER_RECORD):
            yield complaint(loaded, form_place(key, "form"), "definition.reserved_name", name=key)
        if key in PAGES:
            yield complaint(loaded, form_place(key, "form"), "definition.page_name", name=key)
        taken = RESERVED | system_fields(form).keys()
        for path, _ in all_fields(form):
            name = path.rpartition(".")[2]
            if name in (taken if "." not in path else RESERVED | {LINE_NUMBER}):
                yield complaint(loaded, field_place(key, path), "definition.reserved_name", key=True, name=name)


def links_lead_to_forms(loaded: Loaded) -> Iterator[Problem]:
    """``to`` names a form, ``role`` of a member field a role."""
    for key, form in loaded.forms.items():
        for path, field in all_fields(form):
            place = field_place(key, path)
            yield from unknown_form(loaded, place / "to", getattr(field.options, "to", None))
            yield from unknown_role(loaded, place / "role", getattr(field.options, "role", None) or None)


def quantities_know_their_unit(loaded: Loaded) -> Iterator[Problem]:
    """``unit`` and ``base`` of a quantity, and ``unit`` of a price, name fields of the same row."""
    for key, form in loaded.forms.items():
        for path, field in all_fields(form):
            for option in ("unit", "base"):
                name = getattr(field.options, option, "")
                if field.type in ("quantity", "price") and name:
                    place = field_place(key, path) / option
                    yield from unknown(loaded, place, "definition.unknown_field", name, row_of(form, path))


def ids_are_unique(loaded: Loaded) -> Iterator[Problem]:
    """No two fields of a row share a stable id: it names their column."""
    for key, form in loaded.forms.items():
        seen: dict[tuple[str, str], str] = {}
        for path, field in all_fields(form):
            table, _, name = path.rpartition(".")
            column = (table, field.id or name)
            first = seen.setdefault(column, path)
            if first != path:
                place = field_place(key, path) / "id" if field.id else field_place(key, path)
                yield complaint(loaded, place, "definition.doubled_id", key=not field.id, id=column[1], other=first)


def tables_are_apart(loaded: Loaded) -> Iterator[Problem]:
    """No two tables share a storage name: a form ``a__b`` and the line table ``b`` of a form ``a`` would."""
    seen: dict[str, str] = {}
    for key, form in loaded.forms.items():
        names = {f"t_{key}__{field.id or table}": f"{key}.{table}" for table, field in tables_of(form).items()}
        for name, owner in {f"t_{key}": key, **names}.items():
            first = seen.setdefault(name, owner)
            if first != owner:
                yield complaint(loaded, form_place(key, "form"), "definition.doubled_id", id=name, other=first)


def rows_fit_a_table(loaded: Loaded) -> Iterator[Problem]:
    """A database table has room for a few hundred columns."""
    for key, form in loaded.forms.items():
        tables = [("fields", form.fields), *((f"fields/{name}", each.fields) for name, each in tables_of(form).items())]
        for path, fields in tables:
            if len(fields) > MOST_FIELDS:
                table = path.partition("/")[2]
                place = field_place(key, table) if table else form_place(key, "fields")
                yield complaint(
                    loaded, place, "definition.too_many_fields", key=True, count=len(fields), most=MOST_FIELDS
                )


def labels_are_told_apart(loaded: Loaded) -> Iterator[Problem]:
    """Two fields of a row with one label read alike, and a formula cannot mean either by it."""
    for key, form in loaded.forms.items():
        seen: dict[tuple[str, str], str] = {}
        for path, field in all_fields(form):
            first = seen.setdefault((path.rpartition(".")[0], field.label.zh), path)
            if first != path:
                place = field_place(key, path) / "label"
                yield caution(loaded, place, "definition.doubled_label", label=field.label.zh, other=first)


def line_tables_are_flat(loaded: Loaded) -> Iterator[Problem]:
    """A line table has columns and no line table in it; no other field has columns."""
    for key, form in loaded.forms.items():
        for path, field in all_fields(form):
            place = field_place(key, path)
            if is_table(field) and "." in path:
                yield complaint(loaded, place / "type", "definition.nested_lines")
            elif is_table(field) and not field.fields:
                yield complaint(loaded, place, "definition.lines_without_fields", key=True, name=path)
            elif field.fields and not is_table(field):
                yield complaint(loaded, place / "fields", "definition.fields_outside_lines", key=True, type=field.type)


def formulas_are_whole(loaded: Loaded) -> Iterator[Problem]:
    """A formula field has a formula; a computed field has no default and is not required."""
    for key, form in loaded.forms.items():
        for path, field in all_fields(form):
            place = field_place(key, path)
            if field.type == FORMULA and field.formula is None:
                yield complaint(loaded, place, "definition.formula_missing", key=True, name=path)
            if field.formula is None:
                continue
            for name, written in (("default", field.default), ("required", field.required)):
                if written:
                    yield complaint(loaded, place / name, "definition.formula_and_more", key=True, key_name=name)
            if is_table(field):
                yield complaint(loaded, place / "formula", "definition.formula_on_lines", key=True)


def unique_fields_can_be_indexed(loaded: Loaded, bundle: AppBundle) -> Iterator[Problem]:
    """``unique`` needs a column an index can hold."""
    for form in bundle.forms.values():
        for field in form.all_fields():
            if field.unique and field.type.column(field.options).storage not in UNIQUE_STORAGE:
                place = field_place(form.key, field.path) / "unique"
                yield complaint(loaded, place, "definition.not_unique_able", key=True, name=field.path)


def fills_fit(loaded: Loaded, bundle: AppBundle) -> Iterator[Problem]:
    """What a link fills exists in its row, exists on the linked record, and is of the same type there."""
    for form in bundle.forms.values():
        for field in form.all_fields():
            row = form.tables[field.table].fields if field.table else form.fields
            for target, paths in field.fills.items():
                for wanted in paths:
                    yield from _fill(loaded, form, field, row.get(target), target, wanted, tuple(row))
            if isinstance(field.options, OpenItemOptions):
                yield from _open_item(loaded, form, field, field.options, row)


def _open_item(
    loaded: Loaded,
    form: CompiledForm,
    field: CompiledField,
    options: OpenItemOptions,
    row: Mapping[str, CompiledField],
) -> Iterator[Problem]:
    """An open item stands in a line table, names whose it is by a link of the header, and fills fields of its row."""
    place = field_place(form.key, field.path)
    links = tuple(key for key, each in form.fields.items() if isinstance(each.options, LinkOptions))
    yield from unknown(loaded, place / "partner", "definition.unknown_field", options.partner, links)
    if not field.table:
        yield complaint(loaded, place / "type", "definition.open_item_in_header", key=False)
    for target, wanted in options.fills.items():
        at = place / "fills" / target
        if target not in row:
            yield from unknown(loaded, at, "definition.unknown_field", target, tuple(row), key=True)
        elif row[target].value_type.kind is not (Kind.DATE if wanted in ("due", "day") else Kind.NUMBER):
            yield complaint(loaded, at, "definition.fill_type", name=target, source=wanted)
        elif row[target].formula is not None:
            yield complaint(loaded, at, "definition.fill_computed", key=True, name=target)


def _fill(
    loaded: Loaded,
    form: CompiledForm,
    field: CompiledField,
    target: CompiledField | None,
    name: str,
    wanted: str,
    row: tuple[str, ...],
) -> Iterator[Problem]:
    place = field_place(form.key, field.path) / "fills" / name
    if target is None:
        yield from unknown(loaded, place, "definition.unknown_field", name, row, key=True)
        return
    found = walked(form.scope, field.value_type, wanted)
    if isinstance(found, str):
        record = form.scope.records.get(found, {})
        missing = next((part for part in wanted.split(".") if part not in record), wanted)
        near = suggestion(missing, record)
        yield complaint(loaded, place, "definition.unknown_linked_field", key=False, name=wanted, record=found, **near)
    elif (found.kind, found.record) != (target.value_type.kind, target.value_type.record):
        yield complaint(loaded, place, "definition.fill_type", name=name, source=wanted)
    elif target.formula is not None:
        yield complaint(loaded, place, "definition.fill_computed", key=True, name=name)
    elif unit_of(target.options) and loaded.forms[field.value_type.record].units is None:
        yield complaint(loaded, place, "definition.price_without_units", key=True, name=name)


def walked(scope: Scope, start: ValueType, path: str) -> ValueType | str:
    """The type at the end of ``path`` from a record of type ``start``, or the record where the path breaks off."""
    found = start
    for part in path.split("."):
        record = scope.records.get(found.record, {})
        if part not in record or record[part].kind is Kind.LINES:
            return found.record
        found = record[part]
    return found
