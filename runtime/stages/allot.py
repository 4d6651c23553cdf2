"""Auto-allocation (自动分配): goods that became free go to the lines that wait for them, in the same transaction.

Source: domain rule B0.6. Whatever frees goods triggers it: a receipt, a finished production, a return, the release of
a reservation or lock. Who waits is what the ``demand`` ledger says a line is still to get, less what it has reserved.
What a document's own entries reserved on its approval stays its own; what was allotted because goods came is taken
back, last in priority first, when the document that brought them is unapproved.

An allotment is written as an entry of the waiting document's approval, move ``allot``: so its delivery
consumes it, its closing releases it and its unapproval reverses it, like what it reserved by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from engine.definitions.compiled import AppBundle
from engine.effects import Audience, Effect, Notify
from engine.labels import Label
from engine.ledger import (
    UNUSABLE,
    Balance,
    BalanceKey,
    Entry,
    Posted,
    added_up,
    available,
    available_keys,
    keys_of,
    line_key,
)
from engine.promise import Allocation, Backorder, LineKey, allocate, releasable
from engine.values import ZERO
from runtime.stages.books import Books
from runtime.stages.steps import Unit
from runtime.storage import documents
from runtime.storage import ledgers as ledger_rows
from runtime.storage.locks import lock_balances
from runtime.storage.open_lines import entries_of_open_lines, open_lines, unserved
from runtime.storage.stock_rows import expired_stock

ALLOT = "allot"
RUSH = "rush"  # element of a demand that goes first
HARD = "hard"  # element of a reservation that is a lock
DEMAND, RESERVATION = "demand", "reservation"
Place = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Allotted:
    """Entries written, and whom to tell."""

    entries: tuple[Entry, ...] = ()
    effects: tuple[Effect, ...] = ()


NOTHING = Allotted()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line that waits or holds: its demand entry and what it still wants or may lose."""

    demand: Entry
    order: Backorder


def allot(unit: Unit, books: Books, written: Sequence[Entry], day: date) -> Allotted:
    """Give what ``written`` freed to the lines that wait for it.

    Args:
        written: what this transaction has just appended. day: business date of the allotment.
    """
    places = [place for place, change in freed(written).items() if change > ZERO]
    wanted = unserved(unit.connection, {product for product, _ in places}) if places else {}
    waiting = [key for key in wanted if (key.product, key.warehouse) in places and reserves(unit.bundle, key.ref_form)]
    if not waiting:
        return NOTHING
    balances = _locked(unit, books, places, waiting)
    lines = _lines(unit, balances, waiting)
    expired = expired_stock(unit.connection, {product for product, _ in places}, books.today)
    given: dict[BalanceKey, Allocation] = {}
    for place in places:
        here = _at(lines, place)
        free = available(balances, *place) - expired.get(place, ZERO)
        given.update(_named(here, allocate([line.order for line in here.values()], free)))
    entries = _write(unit, books, balances, lines, {key: one.quantity for key, one in given.items()}, day)
    served = {lines[key].demand.ref_document: lines[key].demand.ref_form for key, one in given.items() if one.complete}
    effects = [note for document, form in sorted(served.items()) for note in _told(unit, form, document)]
    return Allotted(entries=entries, effects=tuple(effects))


def take_back(
    unit: Unit, books: Books, places: Mapping[Place, Decimal], day: date, own: tuple[str, int] = ("", 0)
) -> tuple[Entry, ...]:
    """Take allotments back where less is available than is about to go.

    Args:
        places: how much of what is available is about to go, by place; zero where it has gone already. Expired goods
            are not among it.
        own: form and id of a document all of whose reservations may be cut: one that is reopened reserves again, but
            only as far as goods are there, and in its place in the order.
    """
    held = open_lines(unit.connection, (RESERVATION,), places) if places else {}
    by_line = entries_of_open_lines(unit.connection, held)
    allotted = {
        key: min(
            held[key],
            sum((one.quantity for one in by_line[key] if one.move == ALLOT or (one.form, one.document) == own), ZERO),
        )
        for key in held
    }
    keys = [key._replace(ledger=DEMAND) for key, quantity in allotted.items() if quantity > ZERO]
    if not keys:
        return ()
    balances = _locked(unit, books, places, keys)
    lines = {
        key: replace(line, order=replace(line.order, quantity=min(allotted[_reserved(key)], _of(balances, key))))
        for key, line in _lines(unit, balances, keys).items()
    }
    expired = expired_stock(unit.connection, {product for product, _ in places}, books.today)
    given: dict[BalanceKey, Allocation] = {}
    for place, change in places.items():
        here = _at(lines, place)
        missing = change - (available(balances, *place) - expired.get(place, ZERO))
        given.update(_named(here, releasable([line.order for line in here.values()], missing, rush=True)))
    return _write(unit, books, balances, lines, {key: -one.quantity for key, one in given.items()}, day)


def backorder(opening: Entry, quantity: Decimal, whole: bool) -> Backorder:
    """The line that ``opening``, an entry of ``demand``, opened, waiting for ``quantity``."""
    return Backorder(
        key=LineKey(opening.ref_form, opening.ref_line),
        quantity=quantity,
        rush=opening.element == RUSH,
        promised=opening.due,
        ordered=opening.posted_at or datetime.min,
        whole=whole,
    )


def freed(entries: Iterable[Entry], past: Collection[tuple[int, str]] = ()) -> Mapping[Place, Decimal]:
    """By how much these entries raised what is available, by (product, warehouse).

    Args:
        past: lots past their last good day, of which nothing is available.
    """
    found: defaultdict[Place, Decimal] = defaultdict(lambda: ZERO)
    for one in entries:
        if one.ledger == "stock" and one.status not in UNUSABLE and not one.owner:
            if (one.product, one.lot) not in past:
                found[one.product, one.warehouse] += one.quantity
        elif one.ledger == RESERVATION:
            found[one.product, one.warehouse] -= one.quantity
    return found


def _reserved(key: BalanceKey) -> BalanceKey:
    return key._replace(ledger=RESERVATION)


def _of(balances: Mapping[BalanceKey, Balance], demand: BalanceKey) -> Decimal:
    return balances[_reserved(demand)].quantity


def reserves(bundle: AppBundle, form: str) -> bool:
    """Whether documents of the form reserve at all; some only tell what they will want."""
    return any(
        entry.definition.ledger == RESERVATION and not entry.definition.consumes
        for posting in bundle.postings.get(form, ())
        for entry in posting.entries.get("approve", ())
    )


def _locked(
    unit: Unit, books: Books, places: Iterable[Place], demands: Iterable[BalanceKey]
) -> Mapping[BalanceKey, Balance]:
    keys = {key for place in places for key in available_keys(*place)}
    for demand in demands:
        keys.add(demand)
        for element in ("", HARD):
            line = Entry(
                ledger=RESERVATION, product=demand.product, warehouse=demand.warehouse, element=element,
                ref_form=demand.ref_form, ref_line=demand.ref_line, move=ALLOT, form="", document=0, biz_date=date.min,
            )  # fmt: skip
            keys.update(keys_of(books.declared[RESERVATION], line))
    return lock_balances(unit.connection, keys)


def _lines(
    unit: Unit, balances: Mapping[BalanceKey, Balance], demands: Sequence[BalanceKey]
) -> Mapping[BalanceKey, Line]:
    """The lines with what each still wants, by the locked balances."""
    whole = not unit.bundle.app.settings.partial_reservation
    found: dict[BalanceKey, Line] = {}
    for key, entries in entries_of_open_lines(unit.connection, demands).items():
        opening = next((one for one in reversed(entries) if one.quantity > ZERO), None)
        if opening is not None:
            order = backorder(opening, balances[key].quantity - _of(balances, key), whole)
            found[key] = Line(demand=opening, order=order)
    return found


def _at(lines: Mapping[BalanceKey, Line], place: Place) -> Mapping[BalanceKey, Line]:
    return {
        key: line for key, line in lines.items() if (key.product, key.warehouse) == place and line.order.quantity > ZERO
    }


def _named(
    lines: Mapping[BalanceKey, Line], allocations: Iterable[Allocation]
) -> Iterable[tuple[BalanceKey, Allocation]]:
    keys = {line.order.key: key for key, line in lines.items()}
    return [(keys[one.key], one) for one in allocations]


def _write(
    unit: Unit,
    books: Books,
    balances: Mapping[BalanceKey, Balance],
    lines: Mapping[BalanceKey, Line],
    quantities: Mapping[BalanceKey, Decimal],
    day: date,
) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    for key, quantity in quantities.items():
        demand = lines[key].demand
        entry = demand._replace(
            id=None, ledger=RESERVATION, quantity=quantity, due=None, move=ALLOT, action="approve",
            element=HARD if lines[key].order.rush else "", biz_date=day,
            posted_at=None, user=0, hash="",
        )  # fmt: skip
        entries.append(entry)
    if not entries:
        return ()
    after = added_up(balances, entries, books.declared)
    decided = Posted(entries=tuple(entries), balances=after, problems=())
    return tuple(books.keep(decided, unit.now, unit.around.actor.user))


def _told(unit: Unit, form: str, document: int) -> Iterable[Effect]:
    """A message to whoever made the order, once nothing of it waits any more."""
    demands = {line_key(one) for one in ledger_rows.entries_of(unit.connection, form, document) if one.ledger == DEMAND}
    kept = ledger_rows.read_balances(unit.connection, [*demands, *map(_reserved, demands)])
    if any(kept[key].quantity > kept[_reserved(key)].quantity for key in demands):
        return
    for found in documents.load_many(unit.connection, unit.tables, form, [document]).values():
        number, label = found.number or "", unit.form(form).label
        title = Label(
            f"{label.text('zh')} {number} 欠货已全部分配，可以发货",
            f"{label.text('en')} {number}: everything it waited for is allotted and can leave",
        )
        yield Notify(to=Audience(users=(found.creator,)), title=title, form=form, document=document)
