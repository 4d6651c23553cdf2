"""Stage 1, validate: raw values × form × look-ups → ``CleanDocument``, or every problem there is.

needs: texts to resolve, linked rows, source documents. load: one query per linked form. decide: engine.forms.
Values mapped from a source line are filled in here for fields the caller did not type, so that a person who may not
see a price still receives goods at the ordered price.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

from engine.definitions.compiled import CompiledField, CompiledForm
from engine.document import DocStatus, Document, Line, Value
from engine.environment import Linked, scene
from engine.expressions import Checked, EvaluationFailed, evaluate
from engine.expressions.types import Row
from engine.forms.complete import computed, prefilled, stored_value
from engine.forms.draft import Draft, Patch
from engine.forms.parse import parse, resolved
from engine.forms.pushdown import Link
from engine.forms.validate import CleanDocument, changed_paths, problems_of
from engine.problems import Problem, Refused, Severity, problem
from runtime.stages.judge_sets import Settled, set_on_saving
from runtime.stages.link_filters import filter_problems
from runtime.stages.open_items import filled
from runtime.stages.product_units import unit_problems
from runtime.stages.resolve import resolve
from runtime.stages.source_prices import price_by_unit
from runtime.stages.sources import links_of, load_sources, source_of, source_problems
from runtime.stages.steps import Begun, Unit, Validated, load_linked
from runtime.storage import documents

NO_LINKS: tuple[Link, ...] = ()
NO_SOURCES: Mapping[tuple[str, int], Document] = MappingProxyType({})
DAYS_AHEAD = timedelta(days=31)
DAYS_BACK = timedelta(days=366)


def validate(unit: Unit, begun: Begun) -> Validated:
    """Run the stage.

    Raises:
        Refused: every problem of the document at once; warnings alone only while they are not confirmed.
    """
    if begun.command.patch is None and begun.old is not None and "submit" not in begun.actions:
        return _unchanged(unit, begun, begun.old)
    validated, problems = examine_all(unit, (begun,), _complete(begun), by_rules=True)[0]
    return _accepted(begun, validated, problems)


def validate_new(unit: Unit, group: Sequence[Begun]) -> tuple[Validated | Refused, ...]:
    """The stage for new records of one form; each is accepted or refused by itself."""
    answers: list[Validated | Refused] = []
    for begun, (validated, problems) in zip(
        group, examine_all(unit, group, _complete(group[0]), by_rules=True), strict=True
    ):
        try:
            answers.append(_accepted(begun, validated, problems))
        except Refused as refused:
            answers.append(refused)
    return tuple(answers)


def _complete(begun: Begun) -> bool:
    return set(begun.actions) - {"create", "update"} != set() or begun.form.is_master or bool(begun.command.proposal)


def _accepted(begun: Begun, validated: Validated, problems: tuple[Problem, ...]) -> Validated:
    errors = tuple(one for one in problems if one.severity is Severity.ERROR)
    warnings = tuple(one for one in problems if one.severity is Severity.WARNING)
    if errors:
        raise Refused((*errors, *warnings))
    if warnings and _complete(begun) and not begun.command.confirmed:
        raise Refused(warnings)
    if not warnings:
        return validated
    return replace(validated, clean=replace(validated.clean, warnings=warnings))


def examine(unit: Unit, begun: Begun, complete: bool) -> tuple[Validated, tuple[Problem, ...]]:
    """Everything validation does, without refusing: the document as it would be, and its problems. Previews use it."""
    return examine_all(unit, (begun,), complete)[0]


def examine_all(
    unit: Unit, group: Sequence[Begun], complete: bool, *, by_rules: bool = False
) -> tuple[tuple[Validated, tuple[Problem, ...]], ...]:
    """`examine` for several documents of one form: what they need is loaded once for all of them.

    Args:
        by_rules: rules set their values as well, as they do when it is saved; a preview does without.
    """
    form = group[0].form
    drafts = [_parsed(unit, begun) for begun in group]
    found = resolve(unit, drafts)
    drafts = [resolved(draft, form, found) for draft in drafts]
    sources = [load_sources(unit, form, draft.document, lock=complete) for draft in drafts]
    drafts = [_from_sources(unit, form, draft, known) for draft, known in zip(drafts, sources, strict=True)]
    drafts = [filled(unit, form, draft) for draft in drafts]
    linked = load_linked(unit, form, [draft.document for draft in drafts])
    drafts = [prefilled(draft, form, linked, unit.around) for draft in drafts]
    linked = load_linked(unit, form, [draft.document for draft in drafts], linked)
    return tuple(
        _examined(unit, begun, draft, known, linked, complete, by_rules)
        for begun, draft, known in zip(group, drafts, sources, strict=True)
    )


def _parsed(unit: Unit, begun: Begun) -> Draft:
    base = begun.old if begun.old is not None else empty(unit, begun.form, begun.command.origin)
    return parse(begun.form, begun.command.patch or Patch(), base, begun.old)


def _examined(
    unit: Unit,
    begun: Begun,
    draft: Draft,
    sources: Mapping[tuple[str, int], Document],
    linked: Linked,
    complete: bool,
    by_rules: bool,
) -> tuple[Validated, tuple[Problem, ...]]:
    form, old = begun.form, begun.old
    document, failures, names = computed(draft.document, form, linked, unit.around)
    settled = Settled(document=document, failures=failures, names=names, linked=linked)
    if by_rules:
        settled = set_on_saving(unit, begun, settled)
        document, failures, names, linked = settled.document, settled.failures, settled.names, settled.linked
    problems = [*draft.problems, *(_unit_named(unit, form, document, one) for one in failures)]
    broken = {one.where for one in problems}
    problems.extend(
        one
        for one in problems_of(document, old, form, names, linked, unit.around, complete)
        if one.code != "field.required" or one.where not in broken
    )
    problems.extend(filter_problems(unit, form, document, old, names))
    problems.extend(unit_problems(unit, form, document, old))
    if complete and unit.bundle.postings.get(form.key):
        problems.extend(_far_dates(unit, document, old))
    taken = links_of(form, document, names, unit)
    if taken:
        problems.extend(source_problems(unit, form, document, taken, sources))
    clean = CleanDocument(
        document=document,
        old=old,
        changed=changed_paths(document, old),
        typed=draft.given,
        warnings=(),
        scene=names,
        linked=linked,
    )
    validated = Validated(begun=begun, clean=clean, links=taken, sources=sources, preset=settled.preset)
    return validated, _once(problems)


def _far_dates(unit: Unit, document: Document, old: Document | None) -> Iterator[Problem]:
    """A question where the date of what will be posted is far from today: mostly a slip of the month or the year."""
    day, today = document.biz_date, unit.around.clock.today
    answered = old is not None and old.status is not DocStatus.DRAFT and old.biz_date == day
    if day is None or answered:
        return
    if day - today > DAYS_AHEAD:
        asked = problem("document.date_far_ahead", "biz_date", day=day, days=(day - today).days)
        yield replace(asked, severity=Severity.WARNING)
    elif today - day > DAYS_BACK:
        asked = problem("document.date_long_ago", "biz_date", day=day, days=(today - day).days)
        yield replace(asked, severity=Severity.WARNING)


def empty(unit: Unit, form: CompiledForm, origin: str) -> Document:
    """A new document before anything is typed."""
    actor = unit.around.actor
    return Document(
        form=form.key,
        status=DocStatus.ACTIVE if form.is_master else DocStatus.DRAFT,
        snapshot=unit.bundle.hash,
        creator=actor.user,
        department=actor.department,
        biz_date=None if form.is_master else unit.around.clock.today,
        origin=origin,
        lines=MappingProxyType(dict.fromkeys(form.tables, ())),
    )


def _unchanged(unit: Unit, begun: Begun, old: Document) -> Validated:
    linked = load_linked(unit, begun.form, (old,))
    names = scene(begun.form, old, linked, unit.around)
    clean = CleanDocument(
        document=old, old=old, changed=frozenset(), typed=frozenset(), warnings=(), scene=names, linked=linked
    )
    return Validated(begun=begun, clean=clean, links=NO_LINKS, sources=NO_SOURCES)


def _from_sources(unit: Unit, form: CompiledForm, draft: Draft, sources: Mapping[tuple[str, int], Document]) -> Draft:
    """Fill what the push-down maps and the caller did not type, on lines that are new."""
    if not sources:
        return draft
    document = draft.document
    header = dict(document.values)
    lines: dict[str, tuple[Line, ...]] = {}
    scopes: dict[tuple[str, int], dict[str, object]] = {}
    for table, rows in document.lines.items():
        made = []
        for line in rows:
            source = source_of(form, line.source) if line.source is not None else None
            upstream = sources.get((line.source.form, line.source.document)) if line.source else None
            if line.id is None and line.source is not None and source is not None and upstream is not None:
                scope = scopes.get((upstream.form, upstream.id or 0)) or _source_scope(unit, upstream)
                scopes[upstream.form, upstream.id or 0] = scope
                values = dict(line.values)
                row = _source_line(scope, upstream, line)
                if row is not None:
                    line_scope = {**scope, "line": row, "open": None}
                    where = f"{table}.{line.number}."
                    fields = form.tables[table].fields
                    _map(unit, fields, source.line_map, line_scope, values, draft.given, where)
                    price_by_unit(unit, fields, source.line_map, line_scope, values, draft.given, where)
                if draft.old is None:
                    _map(unit, form.fields, source.header, scope, header, draft.given, "")
                line = replace(line, values=values)
            made.append(line)
        lines[table] = tuple(made)
    return replace(draft, document=replace(document, values=header, lines=MappingProxyType(lines)))


def _source_scope(unit: Unit, upstream: Document) -> dict[str, object]:
    form = unit.form(upstream.form)
    names = scene(form, upstream, load_linked(unit, form, (upstream,)), unit.around)
    return {"source": Row(id=upstream.id, values=names.header), "me": unit.around.me, "app": unit.around.app}


def _source_line(scope: Mapping[str, object], upstream: Document, line: Line) -> Row | None:
    source: Row = scope["source"]  # type: ignore[assignment]
    wanted = line.source.line if line.source else 0
    for table in upstream.lines:
        for row in source.values[table]:  # type: ignore[attr-defined]
            if row.id == wanted:
                return row  # type: ignore[no-any-return]
    return None


def _map(
    unit: Unit,
    fields: Mapping[str, CompiledField],
    mapping: Mapping[str, Checked],
    scope: Mapping[str, object],
    values: dict[str, Value],
    given: frozenset[str],
    where: str,
) -> None:
    for key, checked in mapping.items():
        field = fields.get(key)
        if field is None or f"{where}{key}" in given or values.get(key) is not None:
            continue
        if any(path[0] == "open" for path in checked.names):
            continue
        try:
            values[key] = stored_value(field, evaluate(checked, scope, unit.around.clock))
        except EvaluationFailed:
            continue


def _unit_named(unit: Unit, form: CompiledForm, document: Document, failed: Problem) -> Problem:
    """A missing conversion told of the unit by its name and at its field: the formula knows its id, or its name."""
    table, _, rest = failed.where.partition(".")
    number = rest.partition(".")[0]
    if failed.code != "expression.no_conversion" or table not in form.tables or not number.isdecimal():
        return failed
    line = document.lines[table][int(number) - 1]
    product, names = unit.bundle.app.dimensions.product, {}
    goods, wanted = unit.bundle.forms.get(product or ""), str(failed.params["unit"])
    if goods is None or goods.definition.units is None:
        return failed
    counted = goods.fields[goods.definition.units.base].linked
    for key, field in form.tables[table].fields.items():
        target, value = field.linked, line.values.get(key)
        if not isinstance(value, int) or target not in (product, counted):
            continue
        kept = documents.display_names(unit.connection, unit.tables, target, [value], unit.around.actor.language)
        if target == product or wanted in (str(value), kept.get(value)):
            names["product" if target == product else "unit"] = (key, kept.get(value, ""))
    if names.keys() < {"product", "unit"}:
        return failed
    (key, named), (_, product_name) = names["unit"], names["product"]
    return problem("form.unit_of_another", f"{table}.{number}.{key}", product=product_name, unit=named)


def _once(problems: list[Problem]) -> tuple[Problem, ...]:
    seen: set[tuple[str, str]] = set()
    kept: list[Problem] = []
    for one in problems:
        if (one.code, one.where) not in seen:
            seen.add((one.code, one.where))
            kept.append(one)
    return tuple(kept)
