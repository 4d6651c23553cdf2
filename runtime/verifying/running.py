"""I2 and I3: no balance was ever below zero where that is not allowed, and what moves from here to there is one thing.

Two orders are walked: that of posting, in which no act of posting may take what is not there (a document is judged as a
whole, for its lines may give to each other), and that of business dates, over what is neither reversed nor a reversal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter

from engine.ledger import Ledger
from engine.problems import Problem
from engine.values import MONEY_SCALE, QUANTITY_SCALE
from runtime.stages.steps import Unit
from runtime.storage import proofs
from runtime.storage.column_types import unscaled
from runtime.storage.proofs import Move
from runtime.verifying.address import at

ACT = attrgetter("form", "document", "batch")


def never_negative(
    unit: Unit, declared: Mapping[str, Ledger], allowed: Callable[[str], bool], since: int
) -> Iterator[Problem]:
    """Places and details of stock, and the ledgers an app declares not to go below zero.

    Args:
        allowed: whether a snapshot allows negative stock. since: entries up to this id were posted before the order of
            business dates was guarded.
    """
    for place in proofs.moves(unit.connection, declared["stock"], ("product", "warehouse")):
        yield from _posted(unit, place, allowed)
        yield from _dated(unit, place, allowed, since)
        details: dict[tuple[object, ...], list[Move]] = {}
        for one in place:
            if any(one.detail):
                details.setdefault(one.detail, []).append(one)
        for detail in details.values():
            yield from _posted(unit, detail, allowed)
            yield from _dated(unit, detail, allowed, since)
    for ledger in declared.values():
        if ledger.nonnegative:
            yield from _own(unit, ledger)


def legs(unit: Unit) -> Iterator[Problem]:
    """Both ends of a transfer, and of what goes into and comes out of work in process."""
    for one in proofs.unequal_legs(unit.connection):
        yield at(
            unit, "verify.legs", one.form, one.document, one.line,
            quantity=one.quantity + one.other_quantity if one.basis == "neutral" else 0,
            value=one.value + one.other_value,
        )  # fmt: skip


def mirrors(unit: Unit) -> Iterator[Problem]:
    """A reversal is the exact opposite of what it reverses, takes back all of an act, and leaves no cost behind."""
    for one in proofs.unequal_mirrors(unit.connection):
        yield at(unit, "verify.mirror", one.form, one.document, one.line, entry=one.entry, original=one.mirror_of)
    for one in proofs.left_on_reversed(unit.connection):
        yield at(unit, "verify.cost_left", one.form, one.document, one.line, entry=one.entry)
    for each in proofs.half_reversed(unit.connection):
        yield at(unit, "verify.half_reversed", each.form, each.document, entries=each.entries, reversed=each.reversed)


def _posted(unit: Unit, rows: Iterable[Move], allowed: Callable[[str], bool]) -> Iterator[Problem]:
    running = 0
    for _, act in groupby(rows, key=ACT):
        listed = list(act)
        moved = sum(one.quantity for one in listed)
        running += moved
        if running < 0 and moved < 0 and not allowed(listed[-1].snapshot):
            yield _below(unit, "verify.negative", listed[-1], running)
            return


def _dated(unit: Unit, rows: Sequence[Move], allowed: Callable[[str], bool], since: int) -> Iterator[Problem]:
    gone = {one.mirror_of for one in rows if one.mirror_of is not None}
    live = [one for one in rows if one.mirror_of is None and one.id not in gone]
    running = 0
    for one in sorted(live, key=attrgetter("day", "id")):
        running += one.quantity
        if running < 0 and one.quantity < 0 and one.id > since and not allowed(one.snapshot):
            yield _below(unit, "verify.negative_then", one, running)
            return


def _own(unit: Unit, ledger: Ledger) -> Iterator[Problem]:
    for rows in proofs.moves(unit.connection, ledger, ledger.grains[ledger.chain].dimensions):
        quantity = value = 0
        for _, act in groupby(rows, key=ACT):
            listed = list(act)
            quantity += sum(one.quantity for one in listed)
            value += sum(one.value for one in listed)
            if quantity < 0 or value < 0:
                yield at(
                    unit, "verify.own_negative", listed[-1].form, listed[-1].document, listed[-1].line,
                    ledger=ledger.label, entry=listed[-1].id,
                    balance=unscaled(quantity, QUANTITY_SCALE) if quantity < 0 else unscaled(value, MONEY_SCALE),
                )  # fmt: skip
                break


def _below(unit: Unit, code: str, one: Move, running: int) -> Problem:
    return at(
        unit, code, one.form, one.document, one.line, entry=one.id, day=one.day,
        missing=unscaled(-running, QUANTITY_SCALE),
    )  # fmt: skip
