"""Stock as the picking rule sees it, and the judgement of what a document picked.

Which posting entries stand under the rule says ``picks``; the rule itself is the company's (出库批次规则).
Expired goods and goods that are not there are the ledger's to refuse, under its locks; here only the order counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from engine.ledger import Request
from engine.picking import Choice, Lot, Stock, StockKey, Wish, judge, propose
from engine.problems import Problem, problem
from engine.values import ZERO
from runtime.stages.steps import Unit
from runtime.storage import documents
from runtime.storage.stock_rows import detail_rows, lots_of

PICK_SEQ = "pick_seq"
Place = tuple[int, int]


def stock_at(unit: Unit, places: Iterable[Place], *, pieces: bool = False) -> Mapping[Place, list[Stock]]:
    """The rows of stock at each (product, warehouse), with the dates of their lots and the walk through the bins.

    Args:
        pieces: as well rows of which only a second quantity is left, for a count.
    """
    rows = detail_rows(unit.connection, places, pieces=pieces)
    lots = lots_of(unit.connection, {(row.product, row.lot) for row in rows})
    walk = _walk(unit, {row.bin for row in rows if row.bin})
    found: dict[Place, list[Stock]] = {}
    for row in rows:
        made, expires, received = lots.get((row.product, row.lot), (None, None, None))
        found.setdefault((row.product, row.warehouse), []).append(
            Stock(
                key=StockKey(row.warehouse, row.bin, row.lot, row.serial, row.status),
                free=row.quantity,
                lot=Lot(number=row.lot, made=made, expires=expires, received=received) if row.lot else None,
                pick_seq=walk.get(row.bin, 0),
            )
        )
    return found


def pick_problems(unit: Unit, wanted: Sequence[Request], day: date) -> tuple[Problem, ...]:
    """Why the picks of a document cannot stand: they depart from the rule and no reason is given.

    Whether somebody may depart from it is a question of the field the reason is written in: whoever may write it may.
    """
    groups: dict[Place, list[Request]] = {}
    for request in wanted:
        if request.definition.picks and request.quantity < ZERO and (request.lot or request.bin or request.serial):
            groups.setdefault((request.product, request.warehouse), []).append(request)
    if not groups:
        return ()
    stock, found = stock_at(unit, groups), dict[str, Problem]()
    for place, requests in groups.items():
        total = sum((-request.quantity for request in requests), Decimal(0))
        wish = Wish(quantity=total, day=day, strategy=unit.bundle.app.settings.lot_rule)
        proposal = propose(stock.get(place, ()), wish)
        chosen = [
            Choice(
                key=StockKey(one.warehouse, one.bin, one.lot, one.serial, one.status),
                quantity=-one.quantity,
                where=one.where,
            )
            for one in requests
        ]
        reasons = {one.where: one.lot_reason for one in requests}
        for departure in judge(chosen, proposal, may_depart=True).departures:
            if not reasons[departure.where].strip():
                found.setdefault(departure.where, departure)
    return (*found.values(), *(problem("picking.reason_missing", where) for where in found))


def _walk(unit: Unit, bins: set[int]) -> Mapping[int, int]:
    form = unit.bundle.app.dimensions.bin
    if not bins or form is None or PICK_SEQ not in unit.bundle.forms[form].fields:
        return {}
    rows = documents.load_rows(unit.connection, unit.tables, form, bins, {PICK_SEQ})
    return {identity: int(str(row.values[PICK_SEQ] or 0)) for identity, row in rows.items()}
