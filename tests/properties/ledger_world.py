"""A company without forms: it books moves through the very books a submission uses, and is told by an oracle what they
come to. The oracle settles all moves from the first on, in cost order, in exact fractions; it knows no way back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import count

from engine.costing import METHODS, Move, Part
from engine.definitions.app import AppSettings
from engine.definitions.posting import EntryDef
from engine.document import DocStatus, Document, Line, SourceLine
from engine.ledger import BalanceKey, Entry, Policy, Request, asked, ledgers, live
from engine.problems import Problem, Severity
from runtime.stages.books import Books
from runtime.storage import layers
from runtime.storage import ledgers as ledger_rows
from runtime.storage.database import Connection
from runtime.storage.locks import read_balances
from tests.costing.oracle import ORACLES, LayerOracle, Oracle, half_up

FIRST = date(2026, 3, 1)
NOW = datetime(2026, 4, 1, 9, 0)
NUMBERS = count(1_000_000)
NONE = Fraction(0)


@dataclass(frozen=True)
class Act:
    """One thing somebody does: of a kind, on a day counted from the first, about a product in one of two places.

    ``earlier`` picks the document it refers to, if it refers to one.
    """

    kind: str
    day: int
    product: int
    place: int
    quantity: Decimal
    value: Decimal
    earlier: int


@dataclass
class Booked:
    """A document in force: what was done, when, with which entries."""

    act: Act
    day: date
    document: Document
    entries: list[Entry]
    origin: Entry | None = None
    gone: bool = False


@dataclass(frozen=True)
class Expected:
    """What an entry should be worth, and what of it should have gone to 成本差异."""

    value: Fraction
    variance: Fraction


@dataclass
class World:
    """One company: its switches, and its documents in posting order."""

    connection: Connection
    settings: AppSettings
    documents: list[Booked] = field(default_factory=list)
    refused: int = 0

    def __post_init__(self) -> None:
        # Products of their own keep companies in one database apart.
        self.products = {1: next(NUMBERS), 2: next(NUMBERS)}
        self.declared = ledgers(self.settings)
        self.books = Books(
            connection=self.connection,
            declared=self.declared,
            costing=METHODS[self.settings.cost_method],
            policy=Policy(places=self.settings.money_decimals, negative_stock=self.settings.negative_stock),
            products={},
            warehouses={},
            numbers={},
            today=FIRST,
        )

    @property
    def pooled(self) -> bool:
        """Whether both places share one cost."""
        return self.settings.cost_scope == "company"

    def do(self, act: Act) -> bool | None:
        """Book ``act``; None when there is nothing it could be about, False when it was refused."""
        if act.kind == "reverse":
            return self._reverse(act)
        day = FIRST + timedelta(days=act.day)
        origin = self._origin(act)
        if act.kind in REFERRING and origin is None:
            return None
        if origin is not None:
            day = max(day, origin.biz_date)
        number = next(NUMBERS)
        line = Line(
            id=number, number=1, values={},
            source=SourceLine(form="doc", document=origin.document, line=origin.line) if origin else None,
        )  # fmt: skip
        document = Document(form="doc", id=number, status=DocStatus.APPROVED)
        wanted = self._requests(act, line, origin)
        told = asked(wanted, document, "approve", (), day)
        decided = self.books.post(document, told, frozenset(), (), "approve", day)
        errors = tuple(one for one in decided.problems if one.severity is Severity.ERROR)
        if errors:
            return self._was_refused(errors, self._series([*self._moved(), (day, number, act, origin)]))
        kept = self.books.keep(decided, NOW, 1)
        own = [one for one in kept if one.document == number and one.basis != "derived" and one.ledger == "stock"]
        self.documents.append(Booked(act, day, document, own, origin))
        assert self.settings.negative_stock or not self._short(self._series(self._moved())), act
        return True

    def _reverse(self, act: Act) -> bool | None:
        standing = [one for one in self.documents if not one.gone]
        if not standing:
            return None
        target = standing[act.earlier % len(standing)]
        ids = {one.id for one in target.entries}
        if any(one.origin is not None and one.origin.id in ids for one in standing):
            return None  # the life cycle refuses: there is a later document
        own = ledger_rows.entries_of(self.connection, "doc", target.document.id or 0)
        touched = [one for one in live(own) if one.action == "approve"]
        decided = self.books.mirror(target.document, "approve", touched, own, "unapprove", target.day)
        target.gone = True
        series = self._series(self._moved())
        if decided.problems:
            target.gone = False
            return self._was_refused(decided.problems, series)
        self.books.keep(decided, NOW, 1)
        assert self.settings.negative_stock or not self._short(series), act
        return True

    def _was_refused(self, problems: tuple[Problem, ...], series: list[Fraction]) -> bool:
        codes = {one.code for one in problems}
        assert codes <= {"ledger.insufficient", "ledger.later_negative", "ledger.negative_then"}, codes
        assert self._short(series), (codes, series)
        self.refused += 1
        return False

    def _origin(self, act: Act) -> Entry | None:
        wanted = REFERRING.get(act.kind)
        if wanted is None:
            return None
        found = [one.entries[0] for one in self.documents if not one.gone and one.act.kind == wanted]
        return found[act.earlier % len(found)] if found else None

    def _requests(self, act: Act, line: Line, origin: Entry | None) -> list[Request]:
        product = origin.product if origin else self.products[act.product]
        place = origin.warehouse if origin else act.place
        quantity, other = act.quantity, 3 - act.place

        def one(place: int, quantity: Decimal, value: Decimal | None, cost: str = "method") -> Request:
            return Request(
                definition=EntryDef(ledger="stock", each="lines", cost=cost),  # type: ignore[arg-type]
                where="lines.1", line=line, product=product, warehouse=place, quantity=quantity, value=value,
            )  # fmt: skip

        spent = Request(
            definition=EntryDef(ledger="expense", each="lines", cost="pair"), where="lines.1", line=line,
            element=f"item_{act.product}",
        )  # fmt: skip
        return {
            "receive": lambda: [one(place, quantity, act.value)],
            "issue": lambda: [one(place, -quantity, None), spent],
            "gain": lambda: [one(place, quantity, None)],
            "transfer": lambda: [one(place, -quantity, None), one(other, quantity, None, "pair")],
            "purchase_return": lambda: [one(place, -quantity, None, "source")],
            "sales_return": lambda: [one(place, quantity, None, "source")],
            "landed": lambda: [one(place, Decimal(0), act.value, "share")],
            "adjust": lambda: [one(place, Decimal(0), act.value)],
        }[act.kind]()

    def _moved(self) -> list[tuple[date, int, Act, Entry | None]]:
        return [(one.day, one.entries[0].id or 0, one.act, one.origin) for one in self.documents if not one.gone]

    def _series(self, moved: list[tuple[date, int, Act, Entry | None]]) -> list[Fraction]:
        """Every running quantity of every place, in cost order."""
        running: dict[tuple[int, int], Fraction] = {}
        found = []
        for _, _, act, origin in sorted(moved, key=lambda each: (each[0], each[1])):
            product = origin.product if origin else self.products[act.product]
            place = origin.warehouse if origin else act.place
            sign = {"receive": 1, "gain": 1, "sales_return": 1, "landed": 0, "adjust": 0}.get(act.kind, -1)
            steps = [(place, sign * Fraction(act.quantity))]
            if act.kind == "transfer":
                steps.append((3 - act.place, Fraction(act.quantity)))
            for where, quantity in steps:
                running[product, where] = running.get((product, where), NONE) + quantity
                found.append(running[product, where])
        return found

    @staticmethod
    def _short(series: list[Fraction]) -> bool:
        return any(each < 0 for each in series)

    # What it all should come to.

    def told(self) -> tuple[dict[int, Expected], dict[tuple[int, int], Oracle]]:
        """By entry and by pool, what the oracle says of the documents in force."""
        pools: dict[tuple[int, int], Oracle] = {}
        values: dict[int, Expected] = {}
        landed: dict[int, Fraction] = {}
        returned: dict[int, Fraction] = {}
        for booked in sorted(
            (one for one in self.documents if not one.gone), key=lambda one: (one.day, one.entries[0].id or 0)
        ):
            for entry in booked.entries:
                key = (entry.product, 0 if self.pooled else entry.warehouse)
                pool = pools.setdefault(key, ORACLES[self.settings.cost_method](self.settings.money_decimals))
                move = self._move(booked, entry, pools, values, landed, returned)
                if move is None:
                    continue
                value, variance = pool.settle(move)
                values[entry.id or 0] = Expected(value, variance)
                if booked.act.kind == "landed" and booked.origin is not None and move.base > 0:
                    source = booked.origin.id or 0
                    landed[source] = landed.get(source, NONE) + value / Fraction(move.base)
                elif booked.origin is not None:
                    source = booked.origin.id or 0
                    returned[source] = returned.get(source, NONE) + Fraction(entry.quantity)
        return values, pools

    def _move(
        self,
        booked: Booked,
        entry: Entry,
        pools: dict[tuple[int, int], Oracle],
        values: dict[int, Expected],
        landed: dict[int, Fraction],
        returned: dict[int, Fraction],
    ) -> Move | None:
        kind, origin, identity = booked.act.kind, booked.origin, entry.id or 0
        amount = booked.act.value
        if kind == "transfer":
            if self.pooled:
                return None
            if entry.quantity < 0:
                return Move(entry=identity, day=booked.day, quantity=entry.quantity, basis="method")
            out = booked.entries[0].id or 0
            source = pools[entry.product, booked.entries[0].warehouse]
            return Move(
                entry=identity, day=booked.day, quantity=entry.quantity, basis="carried",
                value=decimal(-values[out].value), parts=parts_of(source, out),
            )  # fmt: skip
        if kind in ("purchase_return", "sales_return") and origin is not None:
            source_id = origin.id or 0
            per_unit = values[source_id].value / Fraction(origin.quantity) + landed.get(source_id, NONE)
            worth = half_up(per_unit * Fraction(entry.quantity), self.settings.money_decimals)
            return Move(
                entry=identity, day=booked.day, quantity=entry.quantity, basis="source", value=decimal(worth),
                origin=source_id,
            )  # fmt: skip
        if kind == "landed" and origin is not None:
            base = Fraction(origin.quantity) + returned.get(origin.id or 0, NONE)
            return Move(
                entry=identity, day=booked.day, basis="share", value=amount, origin=origin.id or 0, base=decimal(base)
            )
        if kind in ("issue", "gain"):
            return Move(entry=identity, day=booked.day, quantity=entry.quantity, basis="method")
        return Move(entry=identity, day=booked.day, quantity=entry.quantity, basis="given", value=amount)

    def check(self) -> None:
        """The books say what the oracle says: of every entry, every pool, every place, every layer."""
        values, pools = self.told()
        posted = {
            one.id or 0: one
            for booked in self.documents
            for one in ledger_rows.entries_of(self.connection, "doc", booked.document.id or 0)
        }
        for identity, expected in values.items():
            corrections = [one for one in posted.values() if one.basis == "derived" and one.origin == identity]
            value = posted[identity].value + total(one.value for one in corrections if one.ledger == "stock")
            variance = total(one.value for one in corrections if one.ledger == "variance")
            assert Fraction(value) == expected.value, (posted[identity], expected)
            assert Fraction(variance) == expected.variance, (posted[identity], expected)
        for one in posted.values():
            if one.ledger == "expense" and one.basis == "pair" and one.origin in values:
                corrections = [
                    each.value for each in posted.values() if each.basis == "derived" and each.origin == one.id
                ]
                assert Fraction(one.value + total(corrections)) == -values[one.origin].value, one
        for booked in self.documents:
            if booked.gone:
                own = [one for one in posted.values() if one.document == booked.document.id]
                assert total(one.value for one in own if one.ledger == "stock") == 0, booked
                assert total(one.value for one in own if one.ledger == "variance") == 0, booked
        for product in self.products.values():
            for place in (0,) if self.pooled else (1, 2):
                pool = pools.get((product, place))
                named = {} if self.pooled else {"warehouse": place}
                key = BalanceKey("stock", "cost", product=product, **named)
                kept = read_balances(self.connection, [key])[key]
                quantity, value = (pool.quantity, pool.value) if pool else (NONE, NONE)
                assert (Fraction(kept.quantity), Fraction(kept.value)) == (quantity, value)
                assert value == 0 or quantity != 0, "no value without goods"
                if isinstance(pool, LayerOracle):
                    self._check_layers(key, pool)
        self._check_places()

    def _check_layers(self, key: BalanceKey, pool: LayerOracle) -> None:
        kept = layers.open_layers(self.connection, [key.text]).get(key.text, ())
        got = [((one.day, one.root, one.entry, one.part), Fraction(one.quantity), Fraction(one.value)) for one in kept]
        assert got == pool.open()

    def _check_places(self) -> None:
        running: dict[tuple[int, int], Fraction] = {}
        for booked in self.documents:
            for entry in () if booked.gone else booked.entries:
                place = (entry.product, entry.warehouse)
                running[place] = running.get(place, NONE) + Fraction(entry.quantity)
        for product in self.products.values():
            for place in (1, 2):
                key = BalanceKey("stock", "place", product=product, warehouse=place)
                kept = read_balances(self.connection, [key])[key]
                assert Fraction(kept.quantity) == running.get((product, place), NONE)


REFERRING = {"purchase_return": "receive", "sales_return": "issue", "landed": "receive"}


def parts_of(source: Oracle, entry: int) -> tuple[Part, ...]:
    """What an issue took from the layers of a pool, oldest first."""
    if not isinstance(source, LayerOracle):
        return ()
    taken = sorted((lot, -quantity, -value) for who, lot, quantity, value in source.journal if who == entry)
    return tuple(
        Part(day=lot[0], root=lot[1], quantity=decimal(quantity), value=decimal(value))
        for lot, quantity, value in taken
    )


def decimal(value: Fraction) -> Decimal:
    """A fraction that is a decimal, as one."""
    return Decimal(value.numerator) / Decimal(value.denominator)


def total(values: object) -> Decimal:
    """Sum of decimals."""
    return sum(values, Decimal(0))  # type: ignore[call-overload,no-any-return]
