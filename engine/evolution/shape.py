"""What a bundle needs kept: tables, columns, unique keys and indexes, each under its storage name.

Names follow ids (``t_<form>``, ``f_<field id>``), never labels. Fields that keep nothing, such as line tables, have no
column. The system columns every table has are the storage's own business and do not appear.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from engine.definitions.compiled import AppBundle, CompiledField, CompiledForm
from engine.fieldtypes.contract import Column, Storage
from engine.labels import Label

INDEXED_STORAGE = (Storage.REFERENCE, Storage.INTEGER)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldShape:
    """A column: its storage name, the field's present key and label, and how it is kept."""

    column: str
    key: str
    label: Label
    kept: Column


@dataclass(frozen=True, slots=True, kw_only=True)
class TableShape:
    """A table.

    Attributes:
        form, key: form it belongs to, and for a line table its key.
        fields: by column name.
        unique, indexes: column names each, in order; system columns may be among them.
    """

    name: str
    form: str
    key: str
    label: Label
    fields: Mapping[str, FieldShape]
    unique: frozenset[tuple[str, ...]]
    indexes: frozenset[tuple[str, ...]]


def shapes(bundle: AppBundle) -> Mapping[str, TableShape]:
    """Every table of ``bundle`` by name, each header before its line tables."""
    found: dict[str, TableShape] = {}
    for form in bundle.forms.values():
        unique, indexes = _header_indexes(form)
        found[form.name] = TableShape(
            name=form.name,
            form=form.key,
            key="",
            label=form.label,
            fields=_fields(form.fields.values()),
            unique=unique,
            indexes=indexes,
        )
        for table in form.tables.values():
            found[table.name] = TableShape(
                name=table.name,
                form=form.key,
                key=table.key,
                label=table.label,
                fields=_fields(table.fields.values()),
                unique=frozenset((field.column,) for field in table.fields.values() if field.unique),
                indexes=frozenset({("document", "line_no")}),
            )
    return MappingProxyType(found)


def _fields(fields: Iterable[CompiledField]) -> Mapping[str, FieldShape]:
    return MappingProxyType(
        {
            field.column: FieldShape(column=field.column, key=field.key, label=field.label, kept=kept)
            for field in fields
            if (kept := field.type.column(field.options)).storage is not Storage.NONE
        }
    )


def _header_indexes(form: CompiledForm) -> tuple[frozenset[tuple[str, ...]], frozenset[tuple[str, ...]]]:
    """Unique keys, and the indexes by which this form's list is walked and filtered."""
    columns = {
        key: field.column
        for key, field in form.fields.items()
        if field.type.column(field.options).storage is not Storage.NONE
    }
    unique: set[tuple[str, ...]] = set() if form.is_master else {("number",)}
    for key in form.definition.keys:
        if all(name in columns for name in key):
            unique.add(tuple(columns[name] for name in key))
    unique |= {(field.column,) for field in form.fields.values() if field.unique}
    wanted: set[tuple[str, ...]] = {("doc_status", "id")} | (set() if form.is_master else {("biz_date", "id")})
    listed = form.definition.list
    sort = listed.sort.lstrip("-")
    for name in (sort, *listed.filters, *listed.columns):
        field = form.fields.get(name)
        if field is None or name not in columns:
            continue
        linked = field.type.column(field.options).storage in INDEXED_STORAGE
        if name == sort or name in listed.filters or linked:
            wanted.add((field.column, "id"))
    return frozenset(unique), frozenset(names for names in wanted if names[:1] not in unique)
