"""Red flush (红冲): takes back an approved document, or part of it, without touching what is written.

A red document of the same form is made with negative quantities, dated today, approved at once and posted at the cost
of the original's own entries. Every form that moves goods or money offers it; definitions say nothing about it. The red
document belongs to the same lines upstream as the original, so that what an order has open comes back, and the
links between both say how much of each line was taken back. Source: domain rule B0.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType

from engine.definitions.action_labels import ACTION_LABELS
from engine.definitions.compiled import AppBundle, CompiledField, CompiledForm
from engine.document import RED, DocStatus, Document, Line, Value
from engine.forms.complete import computed
from engine.forms.draft import Patch
from engine.forms.validate import CleanDocument
from engine.ledger import flushable, moved
from engine.permissions import admits, denied
from engine.problems import Problem, Refused, problem
from engine.values import QUANTITY_SCALE, ZERO, divided, rounded
from engine.workflow.lifecycle import STATUS_LABELS
from runtime.declared import declared_ledgers
from runtime.stages.downstream import update_links
from runtime.stages.sources import links_of
from runtime.stages.steps import Advanced, Authorized, Begun, Command, Unit, Validated, load_linked
from runtime.stages.write import write_new
from runtime.storage import documents, history, links
from runtime.storage import ledgers as ledger_rows
from runtime.storage.document_locks import lock_documents
from runtime.storage.history import HistoryRow

RED_FLUSH = "red_flush"
LEFT_OUT = frozenset({"attachment", "image"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What of a line may still be taken back: in the unit of the line, by the field ``field``; and in base units.

    ``field`` is empty for lines without a quantity of their own, which are taken back whole. ``gone``: what red
    documents take back already, by typed quantity, negative; empty where nothing, or where a return gave back some.
    """

    line: Line
    table: str
    field: str
    quantity: Decimal
    base: Decimal
    whole: Decimal
    gone: Mapping[str, Decimal]


def offers_red_flush(bundle: AppBundle, form: CompiledForm) -> bool:
    """Whether documents of the form can be taken back in red."""
    return not form.is_master and flushable(bundle.postings.get(form.key, ()), declared_ledgers(bundle))


def obstacle(unit: Unit, form: CompiledForm, old: Document) -> Problem | None:
    """Why ``old`` cannot be taken back, whoever asks."""
    if not offers_red_flush(unit.bundle, form):
        return problem("document.no_such_action", action=ACTION_LABELS[RED_FLUSH], form=form.label)
    if old.origin == RED:
        return problem("document.red_already")
    if old.status is not DocStatus.APPROVED:
        return problem("document.wrong_status", action=ACTION_LABELS[RED_FLUSH], status=STATUS_LABELS[old.status])
    return None


def left_of(unit: Unit, form: CompiledForm, old: Document) -> tuple[Left, ...]:
    """What may still be taken back, line by line: neither taken back before nor returned."""
    entries = ledger_rows.entries_of(unit.connection, form.key, old.id or 0)
    below = [one for one in links.of_source_document(unit.connection, form.key, old.id or 0) if one.state != "dropped"]
    red_ids = {one.target_id for one in below if one.variant == RED}
    reds = documents.load_many(unit.connection, unit.tables, form.key, red_ids)
    of_line = {one.target_line: one.source_line for one in below if one.variant == RED}
    taken = _source_quantities(unit, form, old)
    found: list[Left] = []
    for table, rows in old.lines.items():
        for line in rows:
            field = quantity_field(form, table, line)
            typed = line.values.get(field) if field else None
            amount = typed if isinstance(typed, Decimal) and typed else ZERO
            whole = moved(entries, line.id or 0) or taken.get(line.id or 0, ZERO) or abs(amount) or Decimal(1)
            gone = sum((_typed(red, table, field, of_line, line) for red in reds.values()), ZERO)
            back = sum((one.quantity for one in below if _returns(unit, one, line)), ZERO)
            red = sum((one.quantity for one in below if one.variant == RED and one.source_line == line.id), ZERO)
            quantity = amount + gone
            if back:
                quantity -= rounded(divided(back * amount, whole), QUANTITY_SCALE)
            others = {} if back or not reds else _gone(form, table, reds.values(), of_line, line)
            found.append(
                Left(
                    line=line, table=table, field=field, quantity=quantity, base=whole - red - back, whole=whole,
                    gone=others,
                )
            )  # fmt: skip
    return tuple(found)


def quantity_field(form: CompiledForm, table: str, line: Line | None = None) -> str:
    """The field of a line that says how much, in the line's own unit: the first quantity a person types; of ``line``
    the first that is not zero, for a count may find a difference in the second quantity only."""
    fields = [one.key for one in form.tables[table].fields.values() if _is_typed_quantity(one)]
    filled = (key for key in fields if line is not None and line.values.get(key))
    return next(filled, fields[0] if fields else "")


def _is_typed_quantity(field: CompiledField) -> bool:
    return field.type_name == "quantity" and field.formula is None


def _gone(
    form: CompiledForm, table: str, reds: Iterable[Document], of_line: Mapping[int, int], line: Line
) -> Mapping[str, Decimal]:
    """What red documents take back of a line already, by typed quantity; negative."""
    keys = [one.key for one in form.tables[table].fields.values() if _is_typed_quantity(one)]
    listed = tuple(reds)
    return {key: sum((_typed(red, table, key, of_line, line) for red in listed), ZERO) for key in keys}


def red_flush(unit: Unit, command: Command) -> Advanced:
    """Make, number, store and approve the red document; posting is left to the stage.

    ``command.patch`` may name lines of the original by id with the quantity to take back of each; without it everything
    that is left is.

    Raises:
        Refused: ``missing``, ``forbidden``, ``conflict`` or ``invalid``, as for any other action.
    """
    form, old = _loaded(unit, command)
    listed = left_of(unit, form, old)
    chosen = _chosen(form, listed, command.patch)
    complete = all(one.quantity == chosen.get(one.line.id or 0, ZERO) for one in listed if one.quantity or one.base > 0)
    authorized = _written_down(unit, form, command, old, chosen, {one.line.id or 0: one for one in listed}, complete)
    written = write_new(unit, (authorized,))[0]
    red = replace(
        written.document, status=DocStatus.APPROVED, approved_at=unit.now, approver=unit.around.actor.user
    )  # fmt: skip
    documents.mark(
        unit.connection, unit.tables, form.key, red.id or 0,
        doc_status=str(red.status), approver=red.approver, approved_at=red.approved_at, submitted_at=unit.now,
    )  # fmt: skip
    _link(unit, old, red, chosen, listed)
    if any(line.source for rows in red.lines.values() for line in rows):
        update_links(unit, red, "done")
    _mark_original(unit, command, old, red, complete)
    scene = replace(written.scene, header={**written.scene.header, "doc_status": str(red.status)})
    return Advanced(written=replace(written, document=red, scene=scene), document=red, posts="approve")


def _loaded(unit: Unit, command: Command) -> tuple[CompiledForm, Document]:
    form = unit.bundle.forms.get(command.form)
    missing = Refused([problem("document.missing", form=form.label if form else command.form)], "missing")
    if form is None or command.document is None:
        raise missing
    lock_documents(unit.connection, unit.tables, form.key, [command.document])
    old = documents.load(unit.connection, unit.tables, form.key, command.document)
    if old is None:
        raise missing
    if command.version is not None and command.version != old.version:
        raise Refused([problem("document.stale")], "conflict")
    access, around = unit.access(form), unit.around
    _, _, names = computed(old, form, load_linked(unit, form, (old,)), around)
    rows = access.rows.get("read")
    if rows is None or not admits(rows, old, names.header, around.actor, around.clock):
        raise missing
    if refusal := denied(access, form, RED_FLUSH):
        raise Refused(refusal, "forbidden")
    if not admits(access.rows[RED_FLUSH], old, names.header, around.actor, around.clock):
        label = ACTION_LABELS[RED_FLUSH]
        raise Refused([problem("permission.row_denied", action=label, form=form.label)], "forbidden")
    if against := obstacle(unit, form, old):
        raise Refused([against], "conflict")
    if not command.reason.strip():
        raise Refused([problem("document.reason_required", "reason", action=ACTION_LABELS[RED_FLUSH])])
    return form, old


def _chosen(form: CompiledForm, listed: Sequence[Left], patch: Patch | None) -> Mapping[int, Decimal]:
    """How much of each line, by line id, in the unit of the line (1 for lines without a quantity)."""
    given = {
        row.id: (row.values, f"{table}.{number}")
        for table, rows in (patch.lines if patch else {}).items()
        for number, row in enumerate(rows, start=1)
    }
    chosen: dict[int, Decimal] = {}
    found: list[Problem] = []
    nothing: tuple[Mapping[str, object], str] = ({}, "")
    for one in listed:
        values, where = given.pop(one.line.id, nothing) if given else nothing
        if not one.field:
            chosen[one.line.id or 0] = ZERO
            continue
        asked = one.quantity if patch is None or not patch.lines else _number(values.get(one.field))
        if asked is None or asked < ZERO or (asked and asked > one.quantity):
            found.append(
                problem("document.red_too_much", f"{where}.{one.field}", line=one.line.number, most=one.quantity)
            )
        elif asked:
            chosen[one.line.id or 0] = asked
    found += [problem("document.red_line_unknown", where) for _, where in given.values()]
    if found:
        raise Refused(found)
    if listed and not chosen:
        raise Refused([problem("document.red_nothing_left")], "conflict")
    return chosen


def _number(raw: object) -> Decimal | None:
    if raw is None or raw == "":
        return ZERO
    try:
        return rounded(Decimal(str(raw)), QUANTITY_SCALE)
    except ArithmeticError:
        return None


def _written_down(
    unit: Unit,
    form: CompiledForm,
    command: Command,
    old: Document,
    chosen: Mapping[int, Decimal],
    listed: Mapping[int, Left],
    complete: bool,
) -> Authorized:
    share = _share(old, chosen, listed, complete)
    lines: dict[str, tuple[Line, ...]] = {}
    for table, rows in old.lines.items():
        kept = [line for line in rows if line.id in chosen]
        lines[table] = tuple(
            Line(
                number=number,
                values=_taken(form.tables[table].fields, line, _part(chosen, listed, line), listed[line.id or 0]),
                source=line.source,
            )
            for number, line in enumerate(kept, start=1)
        )
    document = Document(
        form=form.key, status=DocStatus.DRAFT, snapshot=unit.bundle.hash, creator=unit.around.actor.user,
        department=unit.around.actor.department, biz_date=unit.around.clock.today, origin=RED,
        values=scaled(form.fields, old.values, share), lines=MappingProxyType(lines),
    )  # fmt: skip
    linked = load_linked(unit, form, (document,))
    document, problems, names = computed(document, form, linked, unit.around)
    if problems:
        raise Refused(problems)
    begun = Begun(
        command=replace(command, document=None, version=None, patch=None, origin=RED), form=form, old=None,
        actions=("create", RED_FLUSH),
    )  # fmt: skip
    clean = CleanDocument(
        document=document, old=None, changed=frozenset(), typed=frozenset(), warnings=(), scene=names, linked=linked
    )
    validated = Validated(begun=begun, clean=clean, links=links_of(form, document, names, unit), sources={})
    return Authorized(validated=validated, access=unit.access(form))


def _part(chosen: Mapping[int, Decimal], listed: Mapping[int, Left], line: Line) -> tuple[Decimal, Decimal]:
    """The part of a line as a fraction; a line without a quantity goes whole."""
    one = listed[line.id or 0]
    typed = line.values.get(one.field) if one.field else None
    return (chosen[line.id or 0], typed) if isinstance(typed, Decimal) and typed else (Decimal(1), Decimal(1))


def _share(
    old: Document, chosen: Mapping[int, Decimal], listed: Mapping[int, Left], complete: bool
) -> tuple[Decimal, Decimal]:
    """The part of the header's own amounts: by quantity."""
    lines = [line for rows in old.lines.values() for line in rows if listed[line.id or 0].field]
    if complete and all(listed[line.id or 0].base == listed[line.id or 0].whole for line in lines):
        return Decimal(1), Decimal(1)
    whole = sum((listed[line.id or 0].whole for line in lines), ZERO)
    taken = ZERO
    for line in lines:
        if line.id in chosen:
            part, of = _part(chosen, listed, line)
            taken += divided(listed[line.id or 0].whole * part, of)
    return (taken, whole) if whole else (Decimal(1), Decimal(1))


def scaled(
    fields: Mapping[str, CompiledField], values: Mapping[str, Value], part: tuple[Decimal, Decimal]
) -> Mapping[str, Value]:
    """Typed quantities and amounts times minus ``part``; everything else as it was, but what only one may carry."""
    made: dict[str, Value] = {}
    for key, field in fields.items():
        value = values.get(key)
        if value is None or field.formula is not None or field.unique or field.type_name in LEFT_OUT:
            made[key] = None
        elif isinstance(value, Decimal) and field.type_name in ("quantity", "money"):
            places = field.type.column(field.options).scale
            made[key] = -rounded(divided(value * part[0], part[1]), places)
        else:
            made[key] = value
    return MappingProxyType(made)


def _taken(
    fields: Mapping[str, CompiledField], line: Line, part: tuple[Decimal, Decimal], left: Left
) -> Mapping[str, Value]:
    """The values of a red line. The last one takes what is left of every quantity: parts that were rounded do not add
    up to the whole."""
    values = scaled(fields, line.values, part)
    if part[0] != left.quantity or not left.gone:
        return values
    typed = {key: line.values.get(key) for key in left.gone}
    rest = {key: -(value + left.gone[key]) for key, value in typed.items() if isinstance(value, Decimal)}
    return MappingProxyType({**values, **rest})


def _link(unit: Unit, old: Document, red: Document, chosen: Mapping[int, Decimal], listed: Sequence[Left]) -> None:
    by_line = {one.line.id: one for one in listed}
    made = []
    for table, rows in old.lines.items():
        kept = [line for line in rows if line.id in chosen]
        for line, mine in zip(kept, red.lines.get(table, ()), strict=True):
            part, of = _part(chosen, {line.id or 0: by_line[line.id]}, line)
            base = rounded(divided(by_line[line.id].whole * part, of), QUANTITY_SCALE)
            made.append((line.id or 0, mine.id or 0, base))
    links.add(
        unit.connection,
        [
            links.Link(
                source_form=old.form,
                source_id=old.id or 0,
                source_line=source,
                target_form=red.form,
                target_id=red.id or 0,
                target_line=target,
                variant=RED,
                quantity=base,
                state="done",
            )
            for source, target, base in made or [(0, 0, Decimal(1))]
        ],
    )


def _mark_original(unit: Unit, command: Command, old: Document, red: Document, complete: bool) -> None:
    actor = unit.around.actor
    status = DocStatus.REVERSED if complete else old.status
    documents.step(
        unit.connection, unit.tables, old.form, old.id or 0, old.version, doc_status=str(status), modified_at=unit.now,
        modifier=actor.user,
    )  # fmt: skip
    history.append(
        unit.connection,
        [
            HistoryRow(
                form=old.form,
                document=old.id or 0,
                version=old.version + 1,
                at=unit.now,
                user=actor.user,
                user_name=actor.name,
                action=RED_FLUSH,
                changes={},
                reason=f"{red.number or ''} {command.reason.strip()}".strip(),
                origin=command.origin,
            )
        ],
    )


def _typed(red: Document, table: str, field: str, of_line: Mapping[int, int], line: Line) -> Decimal:
    """The (negative) quantity a red document already takes back of a line, in the unit of the line."""
    values = [one.values.get(field) for one in red.lines.get(table, ()) if of_line.get(one.id or 0) == line.id]
    return sum((one for one in values if isinstance(one, Decimal)), ZERO)


def _returns(unit: Unit, link: links.Link, line: Line) -> bool:
    """Whether a document below gives back goods of the line (a return at the cost of its source)."""
    if link.source_line != line.id or link.variant == RED or link.state != "done":
        return False
    postings = unit.bundle.postings.get(link.target_form, ())
    return any(
        one.definition.ledger == "stock" and one.definition.cost == "source"
        for posting in postings
        for one in posting.entries.get("approve", ())
    )


def _source_quantities(unit: Unit, form: CompiledForm, old: Document) -> Mapping[int, Decimal]:
    arrived = links.of_target(unit.connection, form.key, old.id or 0)
    return {one.target_line: one.quantity for one in arrived}
