"""A form definition → ``CompiledForm``: fields resolved to their types, expressions checked, tables named.

The links a form follows are filled in later, when everything that reads the form is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pydantic import BaseModel

from engine.definitions.compiled import (
    CompiledCheck,
    CompiledFetch,
    CompiledField,
    CompiledForm,
    CompiledSource,
    CompiledTable,
)
from engine.definitions.computed_order import computed_order
from engine.definitions.file_kinds import FORMS
from engine.definitions.form import FieldDef, FormDef, Source
from engine.definitions.reading import Place, Reading
from engine.definitions.scopes import Scopes, table_record
from engine.expressions import Checked, Kind, Scope
from engine.expressions.types import BOOLEAN, NUMBER
from engine.fieldtypes.link import LinkOptions
from engine.fieldtypes.money import currency_sign


def compile_form(form: FormDef, scopes: Scopes, reading: Reading) -> CompiledForm:
    """Compile one form. Where a part is wrong, the problem is in ``reading`` and the part is left out."""
    place = Place(FORMS, form.form, ())
    header = scopes.header(form.form)
    fields: dict[str, CompiledField] = {}
    tables: dict[str, CompiledTable] = {}
    line_scopes: dict[str, Scope] = {}
    for position, (key, field) in enumerate(form.fields.items()):
        compiled = _field(field, key, "", position, header, place / "fields" / key, scopes, reading, form.form)
        if compiled.value_type.kind is not Kind.LINES:
            fields[key] = compiled
            continue
        line_scopes[key] = scopes.line(form.form, key)
        tables[key] = _table(field, compiled, line_scopes[key], place / "fields" / key, scopes, reading, form.form)
    every = (*fields.values(), *(field for table in tables.values() for field in table.fields.values()))
    return CompiledForm(
        key=form.form,
        name=f"t_{form.form}",
        label=form.label,
        definition=form,
        fields=MappingProxyType(fields),
        tables=MappingProxyType(tables),
        computed=computed_order(form.form, every, reading),
        checks=_checks(form, header, line_scopes, place, reading),
        sources=tuple(_source(form, index, scopes, reading) for index in range(len(form.sources))),
        fetches=_fetches(form, scopes, reading),
        views=_views(form, header, place, reading),
        scope=header,
        line_scopes=MappingProxyType(line_scopes),
        links=MappingProxyType({}),
    )


def _field(
    field: FieldDef,
    key: str,
    table: str,
    position: int,
    scope: Scope,
    place: Place,
    scopes: Scopes,
    reading: Reading,
    form: str,
) -> CompiledField:
    kind = reading.kinds.field_types[field.type]
    value_type = scopes.records[table_record(form, table) if table else form][key]
    filter_text = getattr(field.options, "filter", "")
    linked = scopes.picked(form, value_type.record, table) if filter_text and value_type.kind is Kind.LINK else None
    return CompiledField(
        key=key,
        path=f"{table}.{key}" if table else key,
        table=table,
        column=f"f_{field.id or key}",
        label=field.label,
        type_name=field.type,
        type=kind,
        options=_options(field, reading),
        value_type=value_type,
        required=reading.switch(field.required, scope, place / "required"),
        visible=reading.switch(field.visible, scope, place / "visible"),
        secret=reading.switch(field.secret, scope, place / "secret"),
        readonly=reading.switch(field.readonly, scope, place / "readonly"),
        default=reading.optional(field.default, scope, place / "default", value_type),
        formula=reading.optional(field.formula, scope, place / "formula", value_type),
        fills=MappingProxyType(_fills(field.options) if isinstance(field.options, LinkOptions) else {}),
        tags=frozenset(field.tags),
        unique=field.unique,
        position=position,
        definition=field,
        filter=reading.expression(filter_text, linked, place / "filter", BOOLEAN) if linked else None,
    )


def _options(field: FieldDef, reading: Reading) -> BaseModel:
    """The type's options; an amount has the decimals and the sign of the currency unless its field says otherwise."""
    options, app = field.options, reading.loaded.app
    money = field.type == "money" or getattr(options, "result", "") == "money"
    if not money or app is None:
        return options
    own = {"decimals": app.settings.money_decimals, "symbol": currency_sign(app.settings.currency)}
    return type(options).model_validate({**own, **options.model_dump(exclude_unset=True)})


def _fills(options: LinkOptions) -> dict[str, tuple[str, ...]]:
    return {target: (wanted,) if isinstance(wanted, str) else wanted for target, wanted in options.fills.items()}


def _table(
    field: FieldDef, compiled: CompiledField, scope: Scope, place: Place, scopes: Scopes, reading: Reading, form: str
) -> CompiledTable:
    return CompiledTable(
        key=compiled.key,
        name=f"t_{form}__{field.id or compiled.key}",
        label=field.label,
        fields=MappingProxyType(
            {
                key: _field(each, key, compiled.key, at, scope, place / "fields" / key, scopes, reading, form)
                for at, (key, each) in enumerate(field.fields.items())
                if not each.fields
            }
        ),
        min_rows=int(getattr(field.options, "min_rows", 0)),
        max_rows=int(getattr(field.options, "max_rows", 0)),
        field=compiled,
    )


def _checks(
    form: FormDef, header: Scope, lines: Mapping[str, Scope], place: Place, reading: Reading
) -> tuple[CompiledCheck, ...]:
    found: list[CompiledCheck] = []
    for index, each in enumerate(form.checks):
        table = each.at.partition(".")[0] if "." in each.at else ""
        scope = lines.get(table, header)
        condition = reading.expression(each.if_, scope, place / "checks" / index / "if", BOOLEAN)
        if condition is not None:
            found.append(CompiledCheck(definition=each, condition=condition, table=table if table in lines else ""))
    return tuple(found)


def _views(form: FormDef, header: Scope, place: Place, reading: Reading) -> Mapping[str, Checked]:
    read = {
        view.key: reading.expression(view.where, header, place / "list" / "views" / index / "where", BOOLEAN)
        for index, view in enumerate(form.list.views)
    }
    return _present(read)


def _source(form: FormDef, index: int, scopes: Scopes, reading: Reading) -> CompiledSource:
    source = form.sources[index]
    place = Place(FORMS, form.form, ("sources", index))
    if not scopes.has_form(source.from_):  # the checks say so; what would read it is left out
        source = source.model_copy(update={"header": {}, "when": None, "lines": None})
    scope = scopes.push(source.from_)
    own = scopes.records[form.form]
    lines = _source_lines(form, source, place / "lines", scopes, reading) if source.lines is not None else NO_LINES
    header = {
        key: reading.expression(text, scope, place / "header" / key, own.get(key))
        for key, text in source.header.items()
    }
    return CompiledSource(
        target=form.form,
        definition=form.sources[index],
        when=reading.optional(source.when, scope, place / "when", BOOLEAN),
        header=_present(header),
        line_map=lines.line_map,
        quantity=lines.quantity,
        ordered=lines.ordered,
        tolerance=lines.tolerance,
        line_when=lines.when,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lines:
    """The expressions of ``sources[].lines``."""

    line_map: Mapping[str, Checked]
    quantity: Checked | None = None
    ordered: Checked | None = None
    tolerance: Checked | None = None
    when: Checked | None = None


NO_LINES = _Lines(line_map=MappingProxyType({}))


def _source_lines(form: FormDef, source: Source, place: Place, scopes: Scopes, reading: Reading) -> _Lines:
    lines = source.lines
    target = scopes.records.get(table_record(form.form, lines.table if lines else ""))
    if lines is None or target is None or table_record(source.from_, lines.from_) not in scopes.records:
        return NO_LINES
    given = scopes.push_line(source.from_, lines.from_, with_open=True)
    ordered = scopes.push_line(source.from_, lines.from_, with_open=False)
    mapped = {
        key: reading.expression(text, given, place / "map" / key, target.get(key)) for key, text in lines.map.items()
    }
    return _Lines(
        line_map=_present(mapped),
        quantity=reading.expression(lines.quantity, scopes.line(form.form, lines.table), place / "quantity", NUMBER),
        ordered=reading.expression(lines.ordered, ordered, place / "ordered", NUMBER),
        tolerance=reading.expression(lines.tolerance, given, place / "tolerance", NUMBER),
        when=reading.optional(lines.when, given, place / "when", BOOLEAN),
    )


def _fetches(form: FormDef, scopes: Scopes, reading: Reading) -> tuple[CompiledFetch, ...]:
    header, products = scopes.header(form.form), scopes.picked(form.form, scopes.product, "")
    places = [Place(FORMS, form.form, ("fetches", index)) for index in range(len(form.fetches))]
    return tuple(
        CompiledFetch(
            definition=each,
            when=reading.optional(each.when, header, place / "when", BOOLEAN),
            where=reading.optional(each.where, products, place / "where", BOOLEAN),
        )
        for each, place in zip(form.fetches, places, strict=True)
    )


def _present(read: Mapping[str, Checked | None]) -> Mapping[str, Checked]:
    return MappingProxyType({key: each for key, each in read.items() if each is not None})
