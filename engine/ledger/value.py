"""The decision of posting: requests and locked balances in, entries and new balances out.

Quantities and values are settled one request after the other, in order, each against what the ones before it left.
Nothing is read here: the caller has locked every key ``request_keys``, ``release_keys`` and ``mirror_keys`` named.
The policies (value of an issue, of a return, of a gain; what happens when a reversal leaves a residue) are those of
docs/ledger.md, after domain rules C1, C3 and C8.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Protocol

from engine.document import Document
from engine.ledger.balance import EMPTY, Balance, BalanceKey
from engine.ledger.declared import Ledger, keys_of
from engine.ledger.entry import Entry
from engine.ledger.posting import Request, live
from engine.problems import Problem, problem
from engine.values import ZERO, divided, rounded


class Costing(Protocol):
    """The two answers a costing method gives; see engine/costing."""

    def issue_value(
        self, quantity: Decimal, value: Decimal, issued: Decimal, places: int, last: Decimal
    ) -> Decimal: ...

    def gain_value(self, quantity: Decimal, value: Decimal, gained: Decimal, places: int, last: Decimal) -> Decimal: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was loaded for the decision.

    Attributes:
        balances: every locked balance. sources: entries by source line ``(form, line id)``.
        last_costs: last known unit cost by product, for pools that are empty.
        product_names, warehouse_names: for sentences.
    """

    balances: Mapping[BalanceKey, Balance]
    sources: Mapping[tuple[str, int], Sequence[Entry]]
    last_costs: Mapping[int, Decimal]
    product_names: Mapping[int, str]
    warehouse_names: Mapping[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Company switches that bear on posting."""

    places: int
    negative_stock: bool
    pool: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """The outcome: entries to append, the balances they lead to, and what forbids it."""

    entries: tuple[Entry, ...]
    balances: Mapping[BalanceKey, Balance]
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class _Book:
    """Working state of one decision: balances as they become, entries as they come."""

    document: Document
    declared: Mapping[str, Ledger]
    facts: Facts
    policy: Policy
    action: str
    batch: int
    biz_date: date
    balances: dict[BalanceKey, Balance]
    entries: list[Entry] = field(default_factory=list)
    wheres: dict[tuple[int, int], str] = field(default_factory=dict)

    def balance(self, key: BalanceKey) -> Balance:
        return self.balances.get(key, EMPTY)

    def pool(self, product: int, warehouse: int) -> Balance:
        return self.balance(
            BalanceKey("stock", "pool", product=product, warehouse=warehouse if "warehouse" in self.policy.pool else 0)
        )

    def append(self, entry: Entry) -> None:
        self.entries.append(entry)
        for key in keys_of(self.declared[entry.ledger], entry):
            self.balances[key] = self.balance(key).plus(entry.quantity, entry.value)

    def entry(self, request: Request, quantity: Decimal, value: Decimal, **others: object) -> Entry:
        line = request.line.id if request.line and request.line.id else 0
        fields: dict[str, object] = {
            "ledger": request.definition.ledger,
            "product": request.product,
            "warehouse": request.warehouse,
            "partner": request.partner,
            "quantity": quantity,
            "value": value,
            "move": request.definition.move,
            "form": self.document.form,
            "document": self.document.id or 0,
            "line": line,
            "action": self.action,
            "batch": self.batch,
            "biz_date": self.biz_date,
            "snapshot": self.document.snapshot,
        }
        return Entry(**{**fields, **others})  # type: ignore[arg-type]


def post(
    document: Document,
    requests: Sequence[Request],
    releasing: frozenset[str],
    own: Sequence[Entry],
    action: str,
    biz_date: date,
    declared: Mapping[str, Ledger],
    facts: Facts,
    costing: Costing,
    policy: Policy,
) -> Posted:
    """Settle what ``action`` writes: the requests, then the release of what the document's own lines still hold.

    Args:
        own: every entry the document has written so far.
    """
    book = _book(document, declared, facts, policy, action, own, biz_date)
    for request in requests:
        ledger = declared[request.definition.ledger]
        if ledger.key == "stock":
            _stock(book, request, costing)
        elif ledger.per_line:
            _open_quantity(book, request, ledger)
        else:
            book.append(book.entry(request, request.quantity, request.value or ZERO))
    for key, entry in held_lines(own, releasing):
        held = book.balance(key).quantity
        if held > ZERO:
            book.append(
                replace(
                    entry, id=None, quantity=-held, value=ZERO, move=f"{entry.move}_release", action=action,
                    batch=book.batch, biz_date=biz_date, mirror_of=None,
                )
            )  # fmt: skip
    return _finished(book)


def mirror(
    document: Document,
    reversed_action: str,
    own: Sequence[Entry],
    action: str,
    biz_date: date,
    declared: Mapping[str, Ledger],
    facts: Facts,
    policy: Policy,
) -> Posted:
    """Reverse what ``reversed_action`` wrote (反审核, 反关闭): mirror entries at the original value.

    What a reversal leaves on an emptied pool, or below zero, moves to 成本差异 (domain rule C9).
    """
    book = _book(document, declared, facts, policy, action, own, biz_date)
    for entry in reversed([one for one in live(own) if one.action == reversed_action]):
        book.append(
            replace(
                entry, id=None, quantity=-entry.quantity, value=-entry.value, move=f"{entry.move}_cancel",
                action=action, batch=book.batch, biz_date=biz_date, mirror_of=entry.id,
            )
        )  # fmt: skip
        if entry.ledger == "stock":
            _clear_residue(book, entry)
    return _finished(book)


def held_lines(own: Sequence[Entry], releasing: frozenset[str]) -> tuple[tuple[BalanceKey, Entry], ...]:
    """The open-line balances a release looks at, each with an entry that describes the line."""
    found = {
        BalanceKey(
            entry.ledger,
            "line",
            product=entry.product,
            warehouse=entry.warehouse,
            ref_form=entry.ref_form,
            ref_line=entry.ref_line,
        ): entry
        for entry in live(own)
        if entry.ledger in releasing
    }
    return tuple(found.items())


def _book(
    document: Document,
    declared: Mapping[str, Ledger],
    facts: Facts,
    policy: Policy,
    action: str,
    own: Sequence[Entry],
    biz_date: date,
) -> _Book:
    batch = max((entry.batch for entry in own), default=0) + 1
    return _Book(document, declared, facts, policy, action, batch, biz_date, dict(facts.balances))


def _stock(book: _Book, request: Request, costing: Costing) -> None:
    pool = book.pool(request.product, request.warehouse)
    places, last = book.policy.places, book.facts.last_costs.get(request.product, ZERO)
    quantity, variance = request.quantity, ZERO
    if request.value is not None:
        value = request.value
    elif quantity < ZERO:
        value = -costing.issue_value(pool.quantity, pool.value, -quantity, places, last)
        if request.definition.cost == "source":
            original = _source_value(book, request, -quantity)
            if original is not None:
                remaining = pool.value - original
                exact = remaining >= ZERO and (pool.quantity + quantity != ZERO or remaining == ZERO)
                variance = ZERO if exact else original + value
                value = -original if exact else value
    else:
        original = _source_value(book, request, quantity) if request.definition.cost == "source" else None
        opposite = _opposite(book, request)
        if original is not None:
            value = original
        elif opposite is not None:
            value = -opposite.value
        else:
            value = costing.gain_value(pool.quantity, pool.value, quantity, places, last)
    book.append(book.entry(request, quantity, value))
    book.wheres.setdefault((request.product, request.warehouse), request.where)
    if variance:
        book.append(book.entry(request, ZERO, variance, ledger="variance", warehouse=0, move="return_difference"))


def _source_value(book: _Book, request: Request, quantity: Decimal) -> Decimal | None:
    """Value of ``quantity`` units at the unit cost of the source line's stock move (domain rule C3)."""
    source = request.line.source if request.line else None
    if source is None:
        return None
    moves = [one for one in live(book.facts.sources.get((source.form, source.line), ())) if one.ledger == "stock"]
    moved = sum((one.quantity for one in moves), ZERO)
    if not moved:
        return None
    value = sum((one.value for one in moves), ZERO)
    return rounded(divided(quantity * value, moved), book.policy.places)


def _opposite(book: _Book, request: Request) -> Entry | None:
    """The other leg of a transfer: the move of the same line with the opposite quantity."""
    line = request.line.id if request.line else 0
    for entry in reversed(book.entries):
        if entry.ledger == "stock" and entry.line == line and entry.product == request.product:
            return entry if entry.quantity == -request.quantity else None
    return None


def _open_quantity(book: _Book, request: Request, ledger: Ledger) -> None:
    line = request.line
    if request.definition.consumes and (line is None or line.source is None):
        return
    if request.definition.consumes and line is not None and line.source is not None:
        wanted = abs(request.quantity)
        for source in live(book.facts.sources.get((line.source.form, line.source.line), ())):
            if source.ledger != ledger.key or wanted <= ZERO:
                continue
            key = BalanceKey(
                ledger.key, "line", product=source.product, warehouse=source.warehouse, ref_form=source.ref_form,
                ref_line=source.ref_line,
            )  # fmt: skip
            taken = min(wanted, max(book.balance(key).quantity, ZERO))
            if taken:
                wanted -= taken
                book.append(
                    book.entry(
                        request, -taken, ZERO, product=source.product, warehouse=source.warehouse,
                        ref_form=source.ref_form, ref_document=source.ref_document, ref_line=source.ref_line,
                    )
                )  # fmt: skip
        return
    quantity = request.quantity
    if request.definition.limit == "available":
        quantity = min(quantity, max(_available(book, request.product, request.warehouse), ZERO))
    if quantity:
        book.append(
            book.entry(
                request, quantity, ZERO, ref_form=book.document.form, ref_document=book.document.id or 0,
                ref_line=line.id if line and line.id else 0,
            )
        )  # fmt: skip


def _available(book: _Book, product: int, warehouse: int) -> Decimal:
    on_hand = book.balance(BalanceKey("stock", "place", product=product, warehouse=warehouse))
    reserved = book.balance(BalanceKey("reservation", "place", product=product, warehouse=warehouse))
    return on_hand.quantity - reserved.quantity


def _clear_residue(book: _Book, reversed_entry: Entry) -> None:
    pool = book.pool(reversed_entry.product, reversed_entry.warehouse)
    residue = pool.value if (pool.quantity == ZERO or (pool.value < ZERO <= pool.quantity)) else ZERO
    if not residue:
        return
    last = book.entries[-1]
    cleared = replace(last, quantity=ZERO, value=-residue, move="residue", mirror_of=None)
    book.append(cleared)
    book.append(replace(cleared, ledger="variance", warehouse=0, value=residue))


def _finished(book: _Book) -> Posted:
    changed = {key for entry in book.entries for key in keys_of(book.declared[entry.ledger], entry)}
    return Posted(
        entries=tuple(book.entries),
        balances={key: book.balances[key] for key in sorted(changed)},
        problems=() if book.policy.negative_stock else tuple(_shortages(book)),
    )


def _shortages(book: _Book) -> list[Problem]:
    """Places whose stock this posting lowered below zero, or below what is reserved there for others."""
    before, problems = book.facts.balances, []
    places = dict.fromkeys((entry.product, entry.warehouse) for entry in book.entries if entry.ledger == "stock")
    for product, warehouse in places:
        stock = BalanceKey("stock", "place", product=product, warehouse=warehouse)
        reserved = BalanceKey("reservation", "place", product=product, warehouse=warehouse)
        needed = before.get(stock, EMPTY).quantity - book.balance(stock).quantity
        if needed <= ZERO:
            continue
        after = book.balance(stock).quantity - book.balance(reserved).quantity
        short = min(after, book.balance(stock).quantity)
        if short < ZERO:
            problems.append(
                problem(
                    "ledger.insufficient",
                    book.wheres.get((product, warehouse), ""),
                    product=book.facts.product_names.get(product, str(product)),
                    warehouse=book.facts.warehouse_names.get(warehouse, str(warehouse)),
                    available=needed + short,
                    needed=needed,
                    missing=-short,
                )
            )
    return problems
