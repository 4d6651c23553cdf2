"""Two quantities of catch weight goods (浮动换算) that do not end together: asked about, not refused.

Weight and pieces are both counted and both drift, so the one can be used up while the books still hold some of the
other. Whoever posts that hears of it, for mostly one of the two figures is mistyped (docs/ledger.md).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from engine.ledger.balance import EMPTY, Balance, BalanceKey
from engine.ledger.declared import Ledger, key_at
from engine.ledger.entry import Entry
from engine.ledger.facts import Facts
from engine.problems import Problem, Severity, problem
from engine.values import ZERO


def apart(
    entries: Sequence[Entry],
    wheres: Mapping[int, str],
    balances: Mapping[BalanceKey, Balance],
    declared: Mapping[str, Ledger],
    facts: Facts,
    counted: Collection[int],
) -> Iterator[Problem]:
    """Warnings of places, or of lots, bins and statuses in them, that this posting leaves with one of the two
    quantities only, or with less than no pieces.

    Args:
        entries: what the document writes. balances: as they become. counted: ids of entries that say what a count
            found; that is so, whatever the books held.
    """
    before = facts.balances
    weighed = {key for key, one in balances.items() if one.aux or (key in before and before[key].aux)}
    if not weighed:
        return
    stock = declared["stock"]
    for entry in entries:
        if entry.ledger != "stock" or entry.id in counted:
            continue
        grain = "detail" if stock.grains["detail"].counts(entry) else stock.chain
        key = key_at(stock, grain, entry)
        if key not in weighed:
            continue
        weighed.remove(key)
        code, figure = _wrong(before.get(key, EMPTY), balances[key])
        if code:
            warehouse = facts.warehouse_names.get(entry.warehouse, str(entry.warehouse))
            told = problem(
                code, wheres.get(entry.id or 0, ""),
                product=facts.product_names.get(entry.product, str(entry.product)),
                place=" ".join(part for part in (warehouse, entry.lot, entry.serial, entry.status) if part),
                left=figure,
            )  # fmt: skip
            yield replace(told, severity=Severity.WARNING)


def _wrong(was: Balance, now: Balance) -> tuple[str, Decimal]:
    """What is wrong with a balance that was otherwise before, and the figure that tells it."""
    if now.aux < ZERO <= now.quantity and now.aux < was.aux:
        return "ledger.pieces_negative", -now.aux
    if now.aux and not now.quantity and was.quantity:
        return "ledger.pieces_left", now.aux
    if now.quantity > ZERO and not now.aux and was.aux:
        return "ledger.weight_left", now.quantity
    return "", ZERO
