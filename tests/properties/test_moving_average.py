"""Any sequence of receipts, issues, returns, transfers and reversals equals a slow oracle in exact fractions.

The oracle is written from domain rules C1, C3, C8 and C9 and shares no code with the ledger: one pool per product,
values rounded half up to cents, an emptied pool keeps no cent, a refused move leaves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.costing import MovingAverage
from engine.definitions.posting import EntryDef
from engine.document import DocStatus, Document, Line, SourceLine
from engine.ledger import Balance, BalanceKey, Entry, Facts, Policy, Request, keys_of, ledgers, mirror, post

DECLARED = ledgers("company")
POLICY = Policy(places=2, negative_stock=False, pool=("product",))
TODAY = date(2026, 1, 5)
PRODUCTS, PLACES = (1, 2), (1, 2)


@dataclass(frozen=True)
class Move:
    """One act: receive at a value, issue, transfer, gain, give back an earlier issue or receipt, or reverse one."""

    kind: str
    product: int
    place: int
    quantity: Decimal
    value: Decimal
    earlier: int


moves = st.builds(
    Move,
    kind=st.sampled_from(("receive", "issue", "issue", "transfer", "gain", "return", "reverse")),
    product=st.sampled_from(PRODUCTS),
    place=st.sampled_from(PLACES),
    quantity=st.decimals(min_value=Decimal("0.0001"), max_value=1000, places=4),
    value=st.decimals(min_value=0, max_value=10000, places=2),
    earlier=st.integers(0, 20),
)


def half_up(value: Fraction) -> Fraction:
    cents = abs(value) * 100
    whole = cents.numerator // cents.denominator
    rest = cents - whole
    whole += rest >= Fraction(1, 2)
    return Fraction(whole if value >= 0 else -whole, 100)


@dataclass
class Oracle:
    """Pools and places in fractions."""

    pools: dict[int, tuple[Fraction, Fraction]] = field(default_factory=dict)
    places: dict[tuple[int, int], Fraction] = field(default_factory=dict)
    last: dict[int, Fraction] = field(default_factory=dict)
    variance: Fraction = Fraction(0)

    def pool(self, product: int) -> tuple[Fraction, Fraction]:
        return self.pools.get(product, (Fraction(0), Fraction(0)))

    def put(self, product: int, place: int, quantity: Fraction, value: Fraction) -> None:
        before = self.pool(product)
        self.pools[product] = (before[0] + quantity, before[1] + value)
        self.places[product, place] = self.places.get((product, place), Fraction(0)) + quantity
        if quantity:
            self.last[product] = value / quantity

    def average(self, product: int, quantity: Fraction) -> Fraction:
        held, value = self.pool(product)
        if held <= 0:
            return half_up(quantity * self.last.get(product, Fraction(0)))
        return value if quantity == held else half_up(quantity * value / held)

    def gain(self, product: int, quantity: Fraction) -> Fraction:
        held, value = self.pool(product)
        return half_up(quantity * (value / held if held > 0 else self.last.get(product, Fraction(0))))


@dataclass
class Book:
    """The ledger under test: entries, and balances folded by its own decisions."""

    entries: list[Entry] = field(default_factory=list)
    balances: dict[BalanceKey, Balance] = field(default_factory=dict)
    documents: int = 0

    def facts(self) -> Facts:
        costs: dict[int, Decimal] = {}
        sources: dict[tuple[str, int], list[Entry]] = {}
        for entry in self.entries:
            sources.setdefault((entry.form, entry.line), []).append(entry)
            if entry.ledger == "stock" and entry.quantity:
                costs[entry.product] = entry.value / entry.quantity
        return Facts(
            balances=dict(self.balances), sources=sources, last_costs=costs, product_names={}, warehouse_names={}
        )

    def keep(self, entries: tuple[Entry, ...], balances: dict[BalanceKey, Balance]) -> list[Entry]:
        kept = [replace(one, id=len(self.entries) + number) for number, one in enumerate(entries, start=1)]
        self.entries.extend(kept)
        self.balances.update(balances)
        return kept


def document(number: int) -> Document:
    return Document(form="doc", id=number, status=DocStatus.APPROVED)


def request(
    line: Line, product: int, place: int, quantity: Decimal, value: Decimal | None, cost: str = "average"
) -> Request:
    definition = EntryDef(ledger="stock", each="lines", cost=cost)  # type: ignore[arg-type]
    return Request(
        definition=definition,
        where="lines.1",
        line=line,
        product=product,
        warehouse=place,
        quantity=quantity,
        value=value,
    )


def asked(move: Move, book: Book, number: int) -> list[Request]:
    line = Line(id=number, number=1, values={})
    if move.kind == "receive":
        return [request(line, move.product, move.place, move.quantity, move.value)]
    if move.kind == "issue":
        return [request(line, move.product, move.place, -move.quantity, None)]
    if move.kind == "gain":
        return [request(line, move.product, move.place, move.quantity, None)]
    if move.kind == "transfer":
        other = 3 - move.place
        return [
            request(line, move.product, move.place, -move.quantity, None),
            request(line, move.product, other, move.quantity, None),
        ]
    return []


def undoable(book: Book) -> list[int]:
    reversed_ids = {entry.mirror_of for entry in book.entries if entry.mirror_of}
    return sorted(
        {
            entry.document
            for entry in book.entries
            if entry.mirror_of is None and entry.id not in reversed_ids and entry.action == "approve"
        }
    )


@settings(max_examples=300, deadline=None)
@given(st.lists(moves, max_size=25))
def test_the_ledger_equals_the_oracle(sequence: list[Move]) -> None:
    book, oracle = Book(), Oracle()
    for move in sequence:
        book.documents += 1
        number = book.documents
        if move.kind == "reverse":
            _reverse(book, oracle, move, number)
            continue
        wanted = asked(move, book, number) if move.kind != "return" else _return(book, move, number)
        if not wanted:
            continue
        posted = post(
            document(number), wanted, frozenset(), (), "approve", TODAY, DECLARED, book.facts(), MovingAverage(), POLICY
        )
        held = oracle.places.get((move.product, wanted[0].warehouse), Fraction(0))
        refused = wanted[0].quantity < 0 and held < -Fraction(wanted[0].quantity)
        assert bool(posted.problems) == refused
        if refused:
            continue
        kept = book.keep(posted.entries, dict(posted.balances))
        for entry in (one for one in kept if one.ledger == "stock"):
            expected = _expected(book, oracle, move, wanted, entry, kept)
            assert Fraction(entry.value) == expected, (move, entry)
            oracle.put(entry.product, entry.warehouse, Fraction(entry.quantity), Fraction(entry.value))
        _agree(book, oracle)


def _expected(
    book: Book, oracle: Oracle, move: Move, wanted: list[Request], entry: Entry, kept: list[Entry]
) -> Fraction:
    quantity = Fraction(abs(entry.quantity))
    if move.kind == "receive":
        return Fraction(move.value)
    if move.kind == "transfer" and entry.quantity > 0:
        return -Fraction(next(one.value for one in kept if one.quantity < 0))
    if move.kind == "gain":
        return oracle.gain(entry.product, quantity)
    if move.kind == "return":
        line = wanted[0].line
        assert line is not None and line.source is not None
        source = next(one for one in book.entries if one.line == line.source.line and one.quantity < 0)
        return half_up(quantity * Fraction(source.value) / Fraction(source.quantity))
    return -oracle.average(entry.product, quantity)


def _return(book: Book, move: Move, number: int) -> list[Request]:
    issues = [
        entry for entry in book.entries if entry.ledger == "stock" and entry.quantity < 0 and entry.mirror_of is None
        and entry.action == "approve" and entry.document in undoable(book)
    ]  # fmt: skip
    if not issues:
        return []
    source = issues[move.earlier % len(issues)]
    quantity = min(move.quantity, -source.quantity)
    line = Line(
        id=number, number=1, values={}, source=SourceLine(form="doc", document=source.document, line=source.line)
    )
    return [request(line, source.product, source.warehouse, quantity, None, cost="source")]


def _reverse(book: Book, oracle: Oracle, move: Move, number: int) -> None:
    candidates = undoable(book)
    if not candidates:
        return
    target = candidates[move.earlier % len(candidates)]
    own = [entry for entry in book.entries if entry.document == target]
    posted = mirror(document(target), "approve", own, "unapprove", TODAY, DECLARED, book.facts(), POLICY)
    totals: dict[tuple[int, int], Fraction] = {}
    for entry in own:
        if entry.ledger == "stock":
            place = (entry.product, entry.warehouse)
            totals[place] = totals.get(place, Fraction(0)) - Fraction(entry.quantity)
    refused = any(change < 0 and oracle.places.get(place, Fraction(0)) + change < 0 for place, change in totals.items())
    assert bool(posted.problems) == refused
    if refused:
        return
    for entry in book.keep(posted.entries, dict(posted.balances)):
        if entry.ledger == "stock":
            oracle.put(entry.product, entry.warehouse, Fraction(entry.quantity), Fraction(entry.value))
        if entry.ledger == "variance":
            oracle.variance += Fraction(entry.value)
    _agree(book, oracle)


def _agree(book: Book, oracle: Oracle) -> None:
    folded: dict[BalanceKey, Balance] = {}
    for entry in book.entries:
        for key in keys_of(DECLARED[entry.ledger], entry):
            folded[key] = folded.get(key, Balance()).plus(entry.quantity, entry.value)
    assert {key: one for key, one in book.balances.items() if one != Balance()} == {
        key: one for key, one in folded.items() if one != Balance()
    }
    for product in PRODUCTS:
        pool = book.balances.get(BalanceKey("stock", "pool", product=product), Balance())
        quantity, value = oracle.pool(product)
        assert (Fraction(pool.quantity), Fraction(pool.value)) == (quantity, value)
        assert pool.quantity != 0 or pool.value == 0
        for place in PLACES:
            kept = book.balances.get(BalanceKey("stock", "place", product=product, warehouse=place), Balance())
            assert Fraction(kept.quantity) == oracle.places.get((product, place), Fraction(0)) >= 0
