"""Stage 7, enqueue: effects become outbox rows in the same transaction; the outcome says what was done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import MappingProxyType

from engine.effects import Effect, effect_json
from engine.fieldtypes.money import currency_sign
from engine.ledger import Entry
from engine.problems import Problem, problem
from engine.values import ZERO
from runtime.stages.steps import Judged, Outcome, Unit
from runtime.storage import outbox
from runtime.storage.outbox import OutboxRow

# What is said of the sum of a ledger, in this order.
QUANTITIES = MappingProxyType({"supply": "did.supply", "reservation": "did.reservation"})
AMOUNTS = MappingProxyType({"payable": "did.payable", "receivable": "did.receivable"})


def enqueue(unit: Unit, judged: Judged) -> Outcome:
    """Run the stage and sum up the submission."""
    advanced = judged.posted.advanced
    document = advanced.document
    effects = [*advanced.effects, *judged.posted.effects, *judged.effects]
    ids = put_out(unit, document.form, document.id, effects)
    return Outcome(
        form=document.form,
        document=document.id or 0,
        number=document.number,
        version=document.version,
        status=document.status,
        exec_status=document.exec_status,
        warnings=(*advanced.written.authorized.validated.clean.warnings, *judged.posted.warnings),
        did=tuple(done(judged.posted.entries, unit.bundle.app.settings.currency)),
        outbox=ids,
    )


def put_out(unit: Unit, form: str, document: int | None, effects: Iterable[Effect]) -> tuple[int, ...]:
    """Write effects about a document into the outbox; their ids in order."""
    rows = [
        OutboxRow(
            kind=effect.kind,
            payload=effect_json(effect),
            form=form,
            document=document,
            created_at=unit.now,
            snapshot=unit.bundle.hash,
            user=unit.around.actor.user,
        )
        for effect in effects
    ]
    return tuple(outbox.add(unit.connection, rows))


def done(entries: tuple[Entry, ...], currency: str) -> Iterator[Problem]:
    """Sentences on what the ledgers did: stock in and out in pieces, open quantities, money owed."""
    stock_in = stock_out = ZERO
    moved, owed = dict.fromkeys(QUANTITIES, ZERO), dict.fromkeys(AMOUNTS, ZERO)
    for one in entries:
        ledger = one.ledger
        if ledger == "stock" and one.quantity > ZERO:
            stock_in += one.quantity
        elif ledger == "stock":
            stock_out -= one.quantity
        elif ledger in moved:
            moved[ledger] += one.quantity
        elif ledger in owed:
            owed[ledger] += one.value
    if stock_in:
        yield problem("did.stock_in", quantity=stock_in)
    if stock_out:
        yield problem("did.stock_out", quantity=stock_out)
    for ledger, change in moved.items():
        if change:
            yield problem(QUANTITIES[ledger], quantity=change)
    for ledger, change in owed.items():
        if change:
            yield problem(AMOUNTS[ledger], sign=currency_sign(currency), amount=change)
