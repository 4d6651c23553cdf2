"""Forms as the reader may use them: hidden fields absent, labels in the reader's language, options as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping

from engine.definitions.compiled import CompiledField, CompiledForm
from engine.labels import Label
from engine.permissions import Access, FormAccess
from runtime.facade.door import Door
from runtime.facade.views import FieldView, FormView, SectionView, TableView

NUMERIC = frozenset({"number", "integer", "quantity", "price", "money", "percent"})


def form_view(door: Door, form: str) -> FormView:
    """The form.

    Raises:
        Refused: ``missing`` when it is unknown or not readable.
    """
    compiled = door.form(form)
    access = door.access(compiled)
    fields = {key: field_view(door, one, access) for key, one in compiled.fields.items() if access.readable(key)}
    tables = tuple(
        TableView(
            key=key,
            label=table.label.text(door.language),
            fields=tuple(field_view(door, one, access) for one in table.fields.values() if access.readable(one.path)),
            min_rows=table.min_rows,
            max_rows=table.max_rows,
        )
        for key, table in compiled.tables.items()
        if access.readable(key)
    )
    return FormView(
        key=compiled.key,
        label=compiled.label.text(door.language),
        kind=compiled.definition.kind,
        icon=compiled.definition.icon,
        fields=tuple(fields.values()),
        tables=tables,
        sections=_sections(door, compiled, fields),
        actions=tuple(sorted(access.actions)),
    )


def field_view(door: Door, field: CompiledField, access: FormAccess) -> FieldView:
    """One field."""
    computed = field.formula is not None
    writable = access.access(field.path) is Access.WRITE and not computed and field.readonly is not True
    return FieldView(
        key=field.key,
        path=field.path,
        table=field.table,
        label=field.label.text(door.language),
        type_name=field.type_name,
        widget=field.type.widget,
        access="write" if writable else "read",
        required=field.required is True,
        computed=computed,
        help=field.definition.help.text(door.language) if field.definition.help else "",
        options=plain_options(field, door.language),
        width=field.definition.width,
        fills=bool(field.fills),
        tags=tuple(sorted(field.tags)),
        operators=tuple(str(one) for one in field.type.operators),
        numeric=is_numeric(field),
        conditional=field.visible is not True,
    )


def is_numeric(field: CompiledField) -> bool:
    """Whether the field is right-aligned and summed."""
    return field.type_name in NUMERIC or (
        field.type_name == "formula" and str(getattr(field.options, "result", "")) in NUMERIC
    )


def plain_options(field: CompiledField, language: str) -> Mapping[str, object]:
    """The options as JSON-able values, labels in ``language``."""

    def plain(value: object) -> object:
        if isinstance(value, Label):
            return value.text(language)
        if isinstance(value, Mapping):
            return {str(key): plain(inner) for key, inner in value.items()}
        if isinstance(value, tuple | list | frozenset):
            return [plain(inner) for inner in value]
        return value if value is None or isinstance(value, str | int | bool) else str(value)

    return {name: plain(getattr(field.options, name)) for name in type(field.options).model_fields}


def _sections(door: Door, form: CompiledForm, fields: Mapping[str, FieldView]) -> tuple[SectionView, ...]:
    placed: set[str] = set()
    made: list[SectionView] = []
    for section in form.definition.sections:
        shown = tuple(fields[key] for key in section.fields if key in fields)
        placed.update(section.fields)
        if shown:
            made.append(SectionView(label=section.label.text(door.language), fields=shown))
    rest = tuple(view for key, view in fields.items() if key not in placed)
    if rest:
        made.append(
            SectionView(label="" if not made else door.house.catalogue.ui("form.more", door.language), fields=rest)
        )
    return tuple(made)
