"""Stage 3, write: number, version check, rows, links to source lines, history. It decides nothing but the number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from engine.definitions.compiled import CompiledForm
from engine.document import Document, Line
from engine.environment import scene
from engine.expressions.types import Row
from engine.forms.numbering import numbering
from engine.forms.pushdown import Link
from runtime.stages.flow_begin import FLOW, PROPOSE
from runtime.stages.steps import Authorized, Begun, Unit, Written
from runtime.storage import counters, documents, history, links
from runtime.storage.history import HistoryRow
from runtime.storage.search_text import searchable


def write(unit: Unit, authorized: Authorized) -> Written:
    """Run the stage.

    Raises:
        Refused: ``conflict`` when somebody changed the document meanwhile, or a unique value is taken.
    """
    validated = authorized.validated
    begun, clean = validated.begun, validated.clean
    command, form, old = begun.command, begun.form, begun.old
    if old is None:
        return write_new(unit, (authorized,))[0]
    if PROPOSE in begun.actions:  # the record stays as it is; conditions see it as it would be
        return Written(authorized=authorized, document=old, scene=clean.scene)
    document = clean.document
    if begun.actions == (FLOW,) and not clean.changed:  # the log of the run tells of it
        return _written(unit, authorized, document)
    # a submit computes anew what depends on ledgers, dates and master records; what is decided on must be what is kept
    if clean.changed or ("update" in begun.actions and command.patch is not None):
        stored = documents.update(
            unit.connection,
            unit.tables,
            old,
            replace(document, snapshot=unit.bundle.hash),
            searchable(form, document),
            unit.now,
            modifier=unit.around.actor.user,
        )
    else:
        stored = document
    if validated.links:
        _write_links(unit, stored, validated.links, existed=True)
    elif "update" in begun.actions and any(one.source for rows in old.lines.values() for one in rows):
        links.remove(unit.connection, form.key, stored.id or 0)
    history.append(unit.connection, [_history(unit, authorized, stored)])
    return _written(unit, authorized, stored)


def write_new(unit: Unit, group: Sequence[Authorized]) -> tuple[Written, ...]:
    """The stage for new documents of one form and one command's making, all with the same statements."""
    form = group[0].validated.begun.form
    numbered = [
        replace(document, number=_number(unit, form, document), snapshot=unit.bundle.hash)
        for document in (one.validated.clean.document for one in group)
    ]
    stored = documents.insert_many(
        unit.connection,
        unit.tables,
        numbered,
        [searchable(form, document) for document in numbered],
        unit.now,
        batch=group[0].validated.begun.command.batch,
    )
    for one, document in zip(group, stored, strict=True):
        if one.validated.links:
            _write_links(unit, document, one.validated.links, existed=False)
    acts = [_history(unit, one, document) for one, document in zip(group, stored, strict=True)]
    history.append(unit.connection, acts)
    return tuple(_written(unit, one, document) for one, document in zip(group, stored, strict=True))


def _written(unit: Unit, authorized: Authorized, stored: Document) -> Written:
    clean = authorized.validated.clean
    if stored is clean.document:
        names = clean.scene
    elif clean.old is None:
        # Only what the system gives a new record has changed; the rest of the scene stands as it was worked out.
        given: dict[str, object] = {key: getattr(stored, key) for key in ("id", "number", "version", "created_at")}
        for table, rows in stored.lines.items():
            values = clean.scene.lines[table]
            given[table] = tuple(Row(id=line.id, values=each) for line, each in zip(rows, values, strict=True))
        names = replace(clean.scene, header={**clean.scene.header, **given})
    else:
        names = scene(authorized.validated.begun.form, stored, clean.linked, unit.around)
    return Written(authorized=authorized, document=stored, scene=names)


def _number(unit: Unit, form: CompiledForm, document: Document) -> str | None:
    pattern = form.definition.number
    if pattern is None:
        return None
    today = unit.around.clock.today
    bound = numbering(pattern, document.biz_date or today, today)
    return bound.number(counters.next_values(unit.connection, f"number:{form.key}", bound.period))


def _write_links(unit: Unit, stored: Document, taken: tuple[Link, ...], existed: bool) -> None:
    if existed:
        links.remove(unit.connection, stored.form, stored.id or 0)
    ids: Mapping[int, int] = {-line.number: line.id or 0 for rows in stored.lines.values() for line in rows}
    links.add(
        unit.connection,
        [
            links.Link(
                source_form=one.source_form,
                source_id=one.source,
                source_line=one.source_line,
                target_form=stored.form,
                target_id=stored.id or 0,
                target_line=ids.get(one.target_line, one.target_line),
                variant=one.variant,
                quantity=one.quantity,
            )
            for one in taken
        ],
    )


def _history(unit: Unit, authorized: Authorized, stored: Document) -> HistoryRow:
    begun, clean = authorized.validated.begun, authorized.validated.clean
    actor = unit.around.actor
    return HistoryRow(
        form=begun.form.key,
        document=stored.id or 0,
        version=stored.version,
        at=unit.now,
        user=actor.user,
        user_name=actor.name,
        action=_word(begun),
        changes=changes_between(begun.form, begun.old, stored) if begun.old is not None and clean.changed else {},
        reason=begun.command.reason.strip(),
        origin=begun.command.origin,
    )


def _word(begun: Begun) -> str:
    """What the act is called in history: a move by its name, the first save by what it does."""
    if begun.command.action == FLOW and begun.command.move is not None:
        return str(begun.command.move.kind)
    return begun.command.action if begun.old is not None or begun.command.action != "save" else "create"


def changes_between(form: CompiledForm, old: Document | None, new: Document) -> Mapping[str, object]:
    """Field path → [before, after] in JSON form; of line tables, per line number."""
    changes: dict[str, object] = {}
    before = old.values if old else {}
    for key, field in form.fields.items():
        was, now = before.get(key), new.values.get(key)
        if was != now:
            changes[key] = [field.type.to_json(was, field.options), field.type.to_json(now, field.options)]
    for table in form.tables:
        old_rows = {line.id: line for line in (old.lines.get(table, ()) if old else ())}
        new_rows = {line.id: line for line in new.lines.get(table, ())}
        for identity in {**old_rows, **new_rows}:
            _line_changes(form, table, old_rows.get(identity), new_rows.get(identity), changes)
    return changes


def _line_changes(
    form: CompiledForm, table: str, was: Line | None, now: Line | None, changes: dict[str, object]
) -> None:
    line = now or was
    if line is None:
        return
    for key, field in form.tables[table].fields.items():
        before = was.values.get(key) if was else None
        after = now.values.get(key) if now else None
        if before != after:
            changes[f"{table}.{line.number}.{key}"] = [
                field.type.to_json(before, field.options),
                field.type.to_json(after, field.options),
            ]
