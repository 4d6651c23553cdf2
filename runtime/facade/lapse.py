"""Locks whose time is over (锁库到期): released by a job, and the goods go to whoever waits for them.

Source: domain rule D10. What a document holds while it waits for approval lapses at the moment it says, else after
``lock_hours``; the document goes on waiting, and its approval reserves what is there then. A lock document (库存锁定单)
whose reservation is past its moment, or its due date, is closed, as a person would close it. Doing it twice releases
nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from engine.actor import automation
from engine.document import DocStatus
from engine.effects import Audience, Effect, Notify, effect_json
from engine.environment import scene
from engine.expressions import EvaluationFailed, evaluate
from engine.labels import Label
from engine.ledger import Entry, live
from engine.problems import Refused
from runtime.facade.door import Door, enter
from runtime.house import House
from runtime.jobs.contract import Handler, JobContext, Payload
from runtime.stages.allot import RESERVATION, allot
from runtime.stages.post import books_of
from runtime.stages.steps import Command, Unit, load_linked
from runtime.storage import documents, open_lines, outbox
from runtime.storage import ledgers as ledger_rows
from runtime.storage.database import Connection, in_transaction
from runtime.storage.outbox import OutboxRow
from runtime.submit import unit_of
from runtime.workspaces import list_workspaces

LAPSE = "lapse_locks"
EVERY_QUARTER = "*/15 * * * *"
LAPSED = Label("锁库到期", "Lock lapsed")


def lapse_handlers(house: House) -> Mapping[str, Handler]:
    """The handler of the kind ``lapse_locks``: every workspace, one after the other, or the one its payload names."""

    def lapse_all(context: JobContext, payload: Payload) -> None:
        names = (str(payload["workspace"]),) if "workspace" in payload else list_workspaces(house.settings)
        for number, key in enumerate(names):
            context.progress(number, len(names))
            try:
                door = enter(house, key, automation())
            except Refused:
                continue  # nothing is published there yet
            lapse(door)

    return MappingProxyType({LAPSE: lapse_all})


def lapse(door: Door) -> int:
    """Release what is past its time in one workspace; how many documents lost a lock.

    Raises:
        Refused: when a lock document may not be closed by the automation role.
    """
    released = 0
    for form, document in _pending(door):
        released += _release(door, form, document)
    for form, document in _overdue(door):
        command = Command(form=form, action="close", document=document, reason=LAPSED.zh, origin="auto")
        door.house.submit(door.workspace, door.published, door.actor, command)
        released += 1
    return released


def _forms(door: Door, action: str) -> Iterator[str]:
    """Forms that hold goods for a time: on submit, or on approval until a moment or a due date."""
    for form, postings in door.bundle.postings.items():
        entries = [entry.definition for posting in postings for entry in posting.entries.get(action, ())]
        if any(
            one.ledger == RESERVATION and (action == "submit" or one.due is not None or one.until is not None)
            for one in entries
        ):
            yield form


def _pending(door: Door) -> list[tuple[str, int]]:
    with door.reading() as unit:
        return [
            (form, document)
            for form in _forms(door, "submit")
            for document in open_lines.documents_with_status(unit.connection, door.tables, form, DocStatus.PENDING)
            if _past(unit, form, document, ledger_rows.entries_of(unit.connection, form, document))
        ]


def _overdue(door: Door) -> list[tuple[str, int]]:
    with door.reading() as unit:
        return [
            (form, document)
            for form in _forms(door, "approve")
            for document in open_lines.documents_with_status(unit.connection, door.tables, form, DocStatus.APPROVED)
            if _over(unit, form, document)
        ]


def _over(unit: Unit, form: str, document: int) -> bool:
    held = [one for one in live(ledger_rows.entries_of(unit.connection, form, document)) if one.ledger == RESERVATION]
    end = _end(unit, form, document, "approve") if held else None
    if end is not None:
        return end <= unit.around.clock.now
    return any(one.due is not None and one.due < unit.around.clock.today for one in held)


def _past(unit: Unit, form: str, document: int, entries: tuple[Entry, ...]) -> list[Entry]:
    held = [one for one in live(entries) if one.action == "submit"]
    end = _end(unit, form, document, "submit") if held else None
    if end is not None:
        return held if end <= unit.around.clock.now else []
    limit = unit.now - timedelta(hours=unit.bundle.app.settings.lock_hours)
    return [one for one in held if one.posted_at is not None and one.posted_at <= limit]


def _end(unit: Unit, form: str, document: int, action: str) -> datetime | None:
    """The moment the document says its reservations lapse; None where it says none."""
    written = [
        entry.until
        for posting in unit.bundle.postings[form]
        for entry in posting.entries.get(action, ())
        if entry.until is not None
    ]
    found = documents.load(unit.connection, unit.tables, form, document) if written else None
    if found is None:
        return None
    shape = unit.form(form)
    names = scene(shape, found, load_linked(unit, shape, (found,)), unit.around).header
    ends: list[datetime] = []
    for until in written:
        try:
            end = evaluate(until, names, unit.around.clock)
        except EvaluationFailed:
            continue  # what cannot be worked out says nothing
        if isinstance(end, datetime):
            ends.append(end)
    return min(ends, default=None)


def _release(door: Door, form: str, document: int) -> int:
    context = door.house.context(door.workspace, door.published, door.actor)

    def work(connection: Connection) -> tuple[int, ...] | None:
        unit = unit_of(context, connection)
        found = documents.load_many(connection, door.tables, form, [document]).get(document)
        own = ledger_rows.entries_of(connection, form, document)
        held = _past(unit, form, document, own)
        if found is None or found.status is not DocStatus.PENDING or not held:
            return None  # approved, withdrawn or released meanwhile
        books, day = books_of(unit), unit.around.clock.today
        written = books.keep(books.mirror(found, "submit", held, own, "lapse", day), unit.now, door.actor.user)
        allotted = allot(unit, books, written, day)
        title = Label(
            f"{LAPSED.zh}：{unit.form(form).label.zh} {found.number}",
            f"{LAPSED.en}: {unit.form(form).label.text('en')} {found.number}",
        )
        note = Notify(to=Audience(users=(found.creator,)), title=title, form=form, document=document)
        return _told(unit, form, document, (note, *allotted.effects))

    rows = in_transaction(door.workspace.database, work)
    if rows is None:
        return 0
    door.house.hand_over(door.workspace, rows)
    return 1


def _told(unit: Unit, form: str, document: int, effects: tuple[Effect, ...]) -> tuple[int, ...]:
    rows = [
        OutboxRow(
            kind=effect.kind, payload=effect_json(effect), form=form, document=document, created_at=unit.now,
            snapshot=unit.bundle.hash, user=unit.around.actor.user,
        )
        for effect in effects
    ]  # fmt: skip
    return tuple(outbox.add(unit.connection, rows))
