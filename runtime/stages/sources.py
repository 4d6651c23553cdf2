"""Where a document's lines come from: source documents, the open quantities of their lines, over-execution.

Used by validation (is too much taken?), by push-down (what is proposed?) and after approval (执行状态 of the source).
Source headers are locked in sorted order before their open quantities are read, so that two people pushing down the
same order at once cannot both take the remainder.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from engine.definitions.compiled import CompiledForm, CompiledSource
from engine.document import DocStatus, Document, ExecStatus, Line, SourceLine
from engine.environment import Scene, scene
from engine.forms.pushdown import Link, Open, execution, opens, over_limit, taken_quantities
from engine.problems import Problem, problem
from engine.values import ZERO
from runtime.stages.steps import Unit, load_linked
from runtime.storage import documents, links
from runtime.storage.document_locks import lock_documents


def as_link(stored: links.Link) -> Link:
    """The stored link as the engine speaks of it."""
    return Link(
        source_form=stored.source_form,
        source=stored.source_id,
        source_line=stored.source_line,
        target_form=stored.target_form,
        target=stored.target_id,
        target_line=stored.target_line,
        variant=stored.variant,
        quantity=stored.quantity,
        done=stored.state == "done",
    )


def source_of(form: CompiledForm, source: SourceLine) -> CompiledSource | None:
    """The push-down definition a line with this source came through."""
    return next((one for one in form.sources if one.definition.from_ == source.form), None)


def load_sources(unit: Unit, form: CompiledForm, document: Document, lock: bool) -> Mapping[tuple[str, int], Document]:
    """The source documents of all lines, by (form, id); locked when something is going to be taken from them."""
    wanted: dict[str, set[int]] = {}
    for lines in document.lines.values():
        for line in lines:
            if line.source is not None and source_of(form, line.source) is not None:
                wanted.setdefault(line.source.form, set()).add(line.source.document)
    found: dict[tuple[str, int], Document] = {}
    for key in sorted(wanted):
        if lock:
            lock_documents(unit.connection, unit.tables, key, wanted[key])
        for identity, source in documents.load_many(unit.connection, unit.tables, key, wanted[key]).items():
            found[key, identity] = source
    return found


def open_lines(
    unit: Unit, source: CompiledSource, listed: Iterable[Document], besides: int | None = None
) -> Mapping[int, Open]:
    """Open quantities of the lines of ``listed`` (all of the source form), by line id.

    Args:
        besides: target document whose own links do not count.
    """
    group = tuple(listed)
    form = unit.form(source.definition.from_)
    table = source.definition.lines.from_ if source.definition.lines else ""
    line_ids = [line.id for one in group for line in one.lines.get(table, ()) if line.id]
    existing = [
        as_link(link)
        for link in links.of_source(unit.connection, form.key, line_ids)
        if link.state != "dropped" and not (link.target_form == source.target and link.target_id == besides)
    ]
    linked = load_linked(unit, form, group)
    found: dict[int, Open] = {}
    for one in group:
        found.update(opens(source, scene(form, one, linked, unit.around), existing, unit.around))
    return found


def links_of(form: CompiledForm, document: Document, names: Scene, unit: Unit) -> tuple[Link, ...]:
    """What the document's lines take of their source lines (target ids are filled in once stored)."""
    made: list[Link] = []
    for source in form.sources:
        lines = source.definition.lines
        if lines is None:
            continue
        rows = document.lines.get(lines.table, ())
        if not any(line.source and line.source.form == source.definition.from_ for line in rows):
            continue
        taken = _once(taken_quantities(source, names, unit.around), rows, lines.details is not None)
        made.extend(
            Link(
                source_form=line.source.form,
                source=line.source.document,
                source_line=line.source.line,
                target_form=form.key,
                target=document.id or 0,
                target_line=line.id or -line.number,
                variant=source.definition.variant,
                quantity=taken[index],
                done=False,
            )
            for index, line in enumerate(rows)
            if line.source is not None and line.source.form == source.definition.from_
        )
    return tuple(made)


def _once(taken: Mapping[int, Decimal], rows: Sequence[Line], by_detail: bool) -> Mapping[int, Decimal]:
    """``taken``; where the lines of a source line are its details, the first takes it and the others nothing."""
    if not by_detail:
        return taken
    seen: set[SourceLine | None] = set()
    found = dict(taken)
    for index, line in enumerate(rows):
        if line.source in seen:
            found[index] = ZERO
        seen.add(line.source)
    return found


def source_problems(
    unit: Unit,
    form: CompiledForm,
    document: Document,
    taken: tuple[Link, ...],
    sources: Mapping[tuple[str, int], Document],
) -> tuple[Problem, ...]:
    """Unapproved or missing sources (强制审核), foreign lines, and lines that take more than is open."""
    found: list[Problem] = []
    for source in form.sources:
        lines = source.definition.lines
        mine = [link for link in taken if link.source_form == source.definition.from_]
        if lines is None or not mine:
            continue
        group = [one for (key, _), one in sources.items() if key == source.definition.from_]
        known_lines = {line.id for one in group for line in one.lines.get(lines.from_, ())}
        for link in mine:
            upstream = sources.get((link.source_form, link.source))
            if upstream is None or link.source_line not in known_lines:
                found.append(problem("document.source_missing", lines.table))
            elif upstream.status is not DocStatus.APPROVED:
                found.append(problem("document.source_not_approved", number=upstream.number or ""))
        if found:
            continue
        states = open_lines(unit, source, group, besides=document.id)
        found.extend(_over(form, source, document, mine, states))
    return tuple(found)


def executed(unit: Unit, source_form: str, ids: Iterable[int]) -> Mapping[int, ExecStatus]:
    """执行状态 of documents of a form, from what now executes their lines."""
    form = unit.form(source_form)
    execution_def = form.definition.execution
    if execution_def is None:
        return {}
    source = next((one for one in unit.bundle.targets.get(source_form, ()) if one.target == execution_def.by), None)
    listed = documents.load_many(unit.connection, unit.tables, source_form, ids)
    if source is None or source.definition.lines is None:
        return {}
    states = open_lines(unit, source, listed.values())
    table = source.definition.lines.from_
    return {
        identity: execution(
            [states[line.id] for line in one.lines.get(table, ()) if line.id and line.id in states],
            unit.bundle.app.settings.short_close,
        )
        for identity, one in listed.items()
    }


def _over(
    form: CompiledForm, source: CompiledSource, document: Document, mine: list[Link], states: Mapping[int, Open]
) -> list[Problem]:
    lines = source.definition.lines
    if lines is None:
        return []
    numbers = {(line.id or -line.number): line.number for line in document.lines.get(lines.table, ())}
    field = lines.quantity if lines.quantity in form.tables[lines.table].fields else ""
    shown = next((key for key in ("qty", field) if key in form.tables[lines.table].fields), "")
    found: list[Problem] = []
    used: dict[int, Open] = dict(states)
    for link in mine:
        state = used[link.source_line]
        over = over_limit(form, lines.table, numbers[link.target_line], shown, link.quantity, state)
        if over is not None:
            found.append(over)
        used[link.source_line] = replace(state, in_progress=state.in_progress + link.quantity)
    return found
