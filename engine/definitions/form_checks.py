"""Cross-reference checks of a form as a whole: numbering, keys, lists, sections, checks, push-downs, actions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from engine.definitions.compiled import AppBundle
from engine.definitions.form import Fetch, FieldDef, FormDef, Source
from engine.definitions.load import Loaded
from engine.definitions.number_pattern import pattern_mistakes
from engine.definitions.placeholders import holes
from engine.definitions.reading import Place
from engine.definitions.references import (
    DOCUMENT,
    NO_SUCH_ACTION,
    actions_of,
    complaint,
    field_paths,
    form_place,
    header_names,
    is_table,
    tables_of,
    unknown,
    unknown_form,
)
from engine.definitions.system_fields import SETTLE_STATUS
from engine.expressions.types import Kind
from engine.problems import Problem, suggestion

FIELD = "definition.unknown_field"


def numbers_can_be_made(loaded: Loaded) -> Iterator[Problem]:
    """A document has a number pattern that makes unique numbers; master data has none."""
    for key, form in loaded.forms.items():
        place = form_place(key, "number")
        if form.kind != DOCUMENT:
            if form.number is not None:
                yield complaint(loaded, place, "definition.number_on_master", key=True)
            continue
        if form.number is None:
            yield complaint(loaded, form_place(key, "form"), "definition.number_missing", form=form.label)
            continue
        for code, at, text in pattern_mistakes(form.number):
            yield Problem(code=code, where=loaded.where(place.kind, key, "number", offset=at), params={"text": text})


def display_fields_exist(loaded: Loaded, bundle: AppBundle) -> Iterator[Problem]:
    """``display`` holds paths of the record; ``title``, ``search`` and ``keys`` name header fields."""
    for form in bundle.forms.values():
        definition = form.definition
        names = header_names(definition)
        for hole in holes(definition.display):
            first, *_ = hole.text.split(".")
            where = loaded.where(form_place(form.key).kind, form.key, "display", offset=hole.at)
            if not hole.closed:
                yield Problem(code="definition.open_brace", where=where)
            elif first not in names or not _readable(form.scope.names[first].kind):
                yield Problem(code=FIELD, where=where, params={"name": hole.text, **suggestion(first, names)})
        for part, listed in (("title", definition.title), ("search", definition.search)):
            for index, name in enumerate(listed):
                yield from unknown(loaded, form_place(form.key, part, index), FIELD, name, names)


def _readable(kind: Kind) -> bool:
    return kind is not Kind.LINES


def keys_name_fields(loaded: Loaded) -> Iterator[Problem]:
    """A unique key has at least one field, each a header field and named once."""
    for key, form in loaded.forms.items():
        for index, names in enumerate(form.keys):
            place = form_place(key, "keys", index)
            if not names:
                yield complaint(loaded, place, "definition.empty_key")
            for at, name in enumerate(names):
                yield from unknown(loaded, place / at, FIELD, name, header_names(form))
                if name in names[:at]:
                    yield complaint(loaded, place / at, "definition.listed_twice", name=name)


def lists_show_known_fields(loaded: Loaded) -> Iterator[Problem]:
    """Columns, sort and filters of a list are header or system fields; views have different keys."""
    for key, form in loaded.forms.items():
        names = (*header_names(form), *((SETTLE_STATUS,) if form.kind == DOCUMENT else ()))
        place = form_place(key, "list")
        for part, listed in (("columns", form.list.columns), ("filters", form.list.filters)):
            for index, name in enumerate(listed):
                yield from unknown(loaded, place / part / index, FIELD, name, names)
                if name in listed[:index]:
                    yield complaint(loaded, place / part / index, "definition.listed_twice", name=name)
        if form.list.sort:
            yield from unknown(loaded, place / "sort", FIELD, form.list.sort.removeprefix("-"), names)
        yield from _doubled(loaded, place / "views", (view.key for view in form.list.views), "key")


def _doubled(loaded: Loaded, place: Place, names: Iterable[str], part: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield complaint(loaded, place / index / part, "definition.listed_twice", name=name)
        seen.add(name)


def sections_cover_known_fields(loaded: Loaded) -> Iterator[Problem]:
    """A section groups header fields of the form, each in one section only."""
    for key, form in loaded.forms.items():
        names = tuple(name for name, field in form.fields.items() if not is_table(field))
        seen: set[str] = set()
        for at, section in enumerate(form.sections):
            for index, name in enumerate(section.fields):
                place = form_place(key, "sections", at, "fields", index)
                yield from unknown(loaded, place, FIELD, name, names)
                if name in seen:
                    yield complaint(loaded, place, "definition.listed_twice", name=name)
                seen.add(name)


def checks_stand_beside_fields(loaded: Loaded) -> Iterator[Problem]:
    """``at`` of a check names a field of the form."""
    for key, form in loaded.forms.items():
        for index, check in enumerate(form.checks):
            if check.at:
                yield from unknown(loaded, form_place(key, "checks", index, "at"), FIELD, check.at, field_paths(form))


def sources_fit_both_forms(loaded: Loaded) -> Iterator[Problem]:
    """A push-down names an upstream document, fills fields people may fill, and line tables on both sides."""
    for key, form in loaded.forms.items():
        seen: set[tuple[str, str]] = set()
        for index, source in enumerate(form.sources):
            place = form_place(key, "sources", index)
            yield from unknown_form(loaded, place / "from", source.from_, DOCUMENT)
            if form.kind != DOCUMENT:
                yield complaint(loaded, place, "definition.source_of_master")
            if (source.from_, source.variant) in seen:
                yield complaint(loaded, place / "from", "definition.doubled_source", name=source.from_)
            seen.add((source.from_, source.variant))
            yield from _filled(loaded, place / "header", form, source.header, "")
            yield from _source_lines(loaded, place / "lines", form, source)


def _source_lines(loaded: Loaded, place: Place, form: FormDef, source: Source) -> Iterator[Problem]:
    lines = source.lines
    if lines is None:
        return
    at = place / "table" if "table" in lines.model_fields_set else place
    yield from unknown(loaded, at, "definition.unknown_table", lines.table, tables_of(form))
    upstream = loaded.forms.get(source.from_)
    if upstream is not None:
        at = place / "from" if "from_" in lines.model_fields_set else place
        yield from unknown(loaded, at, "definition.unknown_table", lines.from_, tables_of(upstream))
    if lines.table in tables_of(form):
        yield from _filled(loaded, place / "map", form, lines.map, lines.table)
        row = form.fields[lines.table].fields
        for part, name in lines.details or ():
            known = {**form.fields, **row} if part == "warehouse" else row
            if name is not None:
                yield from unknown(loaded, place / "details" / part, FIELD, name, known)


def _filled(loaded: Loaded, place: Place, form: FormDef, names: Iterable[str], table: str) -> Iterator[Problem]:
    """Target fields of a push-down: declared, not computed. The header may also be given its date."""
    fields = form.fields[table].fields if table else {k: f for k, f in form.fields.items() if not is_table(f)}
    for name in names:
        if not table and name == "biz_date":
            continue
        yield from unknown(loaded, place / name, FIELD, name, fields, key=True)
        if name in fields and fields[name].formula is not None:
            yield complaint(loaded, place / name, "definition.fill_computed", key=True, name=name)


def fetches_fill_a_table(loaded: Loaded) -> Iterator[Problem]:
    """Lines are brought in by a document: its table links to products, its header to a warehouse and, maybe, a day."""
    for key, form in loaded.forms.items():
        place = form_place(key, "fetches")
        yield from _doubled(loaded, place, (each.key for each in form.fetches), "key")
        for index, fetch in enumerate(form.fetches):
            if form.kind != DOCUMENT:
                yield complaint(loaded, place / index, "definition.fetch_of_master")
                continue
            yield from _fetch(loaded, place / index, form, fetch)


def _fetch(loaded: Loaded, place: Place, form: FormDef, fetch: Fetch) -> Iterator[Problem]:
    parts = loaded.app.dimensions if loaded.app is not None else None
    header = {key: field for key, field in form.fields.items() if not is_table(field)}
    tables = tables_of(form)

    def at(part: str) -> Place:
        return place / part if part in fetch.model_fields_set else place

    yield from unknown(loaded, at("table"), "definition.unknown_table", fetch.table, tables)
    if fetch.table in tables:
        row = tables[fetch.table].fields
        yield from _stock_link(loaded, at("product"), fetch.product, row, parts.product if parts else None)
        if fetch.product in row and row[fetch.product].formula is not None:
            yield complaint(loaded, at("product"), "definition.fill_computed", name=fetch.product)
    yield from _stock_link(loaded, at("warehouse"), fetch.warehouse, header, parts.warehouse if parts else None)
    if fetch.moved_since is not None:
        days = [key for key, field in header.items() if field.type == "date"]
        yield from unknown(loaded, at("moved_since"), "definition.fetch_day", fetch.moved_since, days)


def _stock_link(
    loaded: Loaded, place: Place, name: str, fields: Mapping[str, FieldDef], form: str | None
) -> Iterator[Problem]:
    """``name`` links to the form that plays this part in the stock ledger."""
    if name not in fields:
        yield from unknown(loaded, place, FIELD, name, fields)
    elif form is None or getattr(fields[name].options, "to", "") != form:
        yield complaint(loaded, place, "definition.fetch_link", name=name, form=form or "—")


def executions_are_pushed(loaded: Loaded) -> Iterator[Problem]:
    """``execution.by`` is a form that is pushed down, with lines, from this one."""
    for key, form in loaded.forms.items():
        if form.execution is None:
            continue
        place = form_place(key, "execution", "by")
        by = loaded.forms.get(form.execution.by)
        yield from unknown_form(loaded, place, form.execution.by)
        if by is not None and not any(source.from_ == key and source.lines for source in by.sources):
            yield complaint(loaded, place, "definition.execution_without_source", name=by.form, form=form.label)


def unit_tables_are_complete(loaded: Loaded) -> Iterator[Problem]:
    """``units`` names the base unit field, a line table, and its unit and rate columns."""
    for key, form in loaded.forms.items():
        units = form.units
        if units is None:
            continue
        place = form_place(key, "units")
        yield from unknown(loaded, place / "base", FIELD, units.base, header_names(form))
        yield from unknown(loaded, place / "table", "definition.unknown_table", units.table, tables_of(form))
        if units.aux is not None:
            yield from unknown(loaded, place / "aux", FIELD, units.aux, header_names(form))
        base = form.fields.get(units.base)
        counted = loaded.forms.get(getattr(base.options, "to", "")) if base is not None else None
        if units.decimals is not None and counted is not None:
            yield from unknown(loaded, place / "decimals", FIELD, units.decimals, header_names(counted))
        columns = form.fields[units.table].fields if units.table in tables_of(form) else None
        if columns is not None:
            yield from unknown(loaded, place / "unit", FIELD, units.unit, columns)
            yield from unknown(loaded, place / "rate", FIELD, units.rate, columns)
            if units.barcode is not None:
                yield from unknown(loaded, place / "barcode", FIELD, units.barcode, columns)


def trees_name_links(loaded: Loaded) -> Iterator[Problem]:
    """What contains what is told by a header field and a field of a line table, both links to one form."""
    for key, form in loaded.forms.items():
        tree = form.tree
        if tree is None:
            continue
        place = form_place(key, "tree")
        lines = form.fields[tree.table].fields if tree.table in tables_of(form) else {}
        yield from unknown(loaded, place / "table", "definition.unknown_table", tree.table, tables_of(form))
        yield from unknown(loaded, place / "whole", "definition.unknown_field", tree.whole, form.fields)
        if lines:
            yield from unknown(loaded, place / "part", "definition.unknown_field", tree.part, lines)
        ends = [form.fields.get(tree.whole), lines.get(tree.part)]
        targets = {getattr(each.options, "to", "") for each in ends if each is not None}
        if len(targets) > 1 or "" in targets:
            yield complaint(loaded, place, "definition.tree_of_two", whole=tree.whole, part=tree.part)


def actions_fit_the_kind(loaded: Loaded) -> Iterator[Problem]:
    """Actions a form offers, and those that demand a reason, exist for its kind."""
    for key, form in loaded.forms.items():
        for index, action in enumerate(form.actions):
            place = form_place(key, "actions", index)
            if action not in actions_of(form.kind):
                yield complaint(loaded, place, NO_SUCH_ACTION[form.kind], name=action, form=form.label)
