"""批次追溯: where the goods of a lot came from and where they went, through production, conversions and transfers.

Level by level, with a fixed number of queries each. Of every lot it is told what came in, what went out and what is on
hand, and whether that closes with the balances.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from engine.problems import Refused, problem
from engine.values import ZERO
from runtime.facade.base_units import counted
from runtime.facade.cells import Names
from runtime.facade.door import Door
from runtime.facade.lots import freshness
from runtime.facade.referred import numbers
from runtime.facade.stock import move_label
from runtime.facade.stock_rights import allowed, dimension, moves_seen
from runtime.stages.steps import Unit
from runtime.storage import documents, lot_trace
from runtime.storage.lot_trace import Direction, LotFacts, LotKey, Movement, Step

MOST_LEVELS = 12
MOST_LOTS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class LotMoveView:
    """What a document moved of a lot: positive came in, negative went out. Transfers within the company come to nothing
    and do not appear. ``form`` is empty where the document is not the person's to read."""

    day: date
    move: str
    form: str
    document: int
    number: str
    partner: str
    warehouse_text: str
    quantity: Decimal
    second: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LotView:
    """A lot on the way.

    Attributes:
        level: steps from the lot asked for. lot: empty for goods not kept by lot, of which nothing more is told.
        came, went, on_hand: quantities in base units; ``on_hand`` as the balances have it, ``mixed`` the same in all
            units of the product, empty where it reads no different, ``second`` the second quantity on hand of catch
            weight goods, with its unit.
        closes: whether what came less what went is what is on hand.
        links: how it hangs together with the level before.
    """

    level: int
    product: int
    product_text: str
    lot: str
    unit: str
    made: date | None
    expires: date | None
    freshness: str
    came: Decimal
    went: Decimal
    on_hand: Decimal
    mixed: str
    second: str
    closes: bool
    moves: tuple[LotMoveView, ...]
    links: tuple[LinkView, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """``lot`` of ``product_text`` is the nearer end. used: what of the source went that way, in its base unit; made:
    what of the target came of it."""

    product_text: str
    lot: str
    used: Decimal
    made: Decimal
    form: str
    document: int
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceView:
    """A trace.

    Attributes:
        start: the lot asked for. up: what it was made of; down: what was made of it; both level by level.
        partners: names of those who got goods of the lots downwards (customers), sorted; suppliers upwards.
        closes: whether every lot's quantities close. cut: there is more than is shown.
    """

    start: LotView
    up: tuple[LotView, ...]
    down: tuple[LotView, ...]
    customers: tuple[str, ...]
    suppliers: tuple[str, ...]
    closes: bool
    cut: bool


def lots_called(door: Door, number: str) -> tuple[tuple[int, str], ...]:
    """Products that have a lot of this number: id and name.

    Raises:
        Refused: ``forbidden`` for whoever does not see what is on hand.
    """
    moves_seen(door)
    products = dimension(door, "product")
    with door.reading() as unit:
        found = lot_trace.products_of(unit.connection, number)
        names = Names(door.language)
        for one in found:
            names.want_id(products, one.product)
        names.load(unit)
    return tuple((one.product, names.name(products, one.product)) for one in found)


def trace(door: Door, product: int, lot: str) -> TraceView:
    """Everything that hangs together with a lot.

    Raises:
        Refused: ``missing`` for a lot nobody ever received, ``forbidden`` without sight of stock.
    """
    moves_seen(door)
    start = LotKey(product, lot)
    with door.reading() as unit:
        if start not in lot_trace.lot_facts(unit.connection, [start]):
            raise Refused([problem("stock.no_lot", lot=lot)], "missing")
        walked = {way: _walk(unit, start, way) for way in ("up", "down")}
        keys = {start, *(key for levels, _, _ in walked.values() for level in levels for key in level)}
        told = _Told(door, unit, keys)
        up, down = (told.lots(levels, steps, way) for way, (levels, steps, _) in walked.items())
        first = told.lot(start, 0, ())
    return TraceView(
        start=first,
        up=up,
        down=down,
        customers=_partners((first, *down), outwards=True),
        suppliers=_partners((first, *up), outwards=False),
        closes=all(one.closes for one in (first, *up, *down)),
        cut=any(cut for _, _, cut in walked.values()),
    )


def _walk(unit: Unit, start: LotKey, way: str) -> tuple[Sequence[Sequence[LotKey]], Sequence[Sequence[Step]], bool]:
    """The levels beyond ``start`` and the steps that lead to each; a lot stands on the first level that reaches it."""
    direction: Direction = "up" if way == "up" else "down"
    levels: list[list[LotKey]] = []
    taken: list[Sequence[Step]] = []
    seen, frontier = {start}, [start]
    while frontier and len(levels) < MOST_LEVELS and len(seen) < MOST_LOTS:
        found = lot_trace.steps(unit.connection, frontier, direction)
        ends = dict.fromkeys(one.target if direction == "down" else one.source for one in found)
        fresh = [key for key in ends if key not in seen]
        if not found:
            return levels, taken, False
        seen.update(fresh)
        levels.append(fresh)
        taken.append(found)
        frontier = [key for key in fresh if key.lot]
    return levels, taken, bool(frontier)


class _Told:
    """Turns keys into views: everything about all of them is loaded at once."""

    def __init__(self, door: Door, unit: Unit, keys: Iterable[LotKey]) -> None:
        self._door, self._products, self._warehouses = door, dimension(door, "product"), dimension(door, "warehouse")
        self._today = door.house.now().date()
        wanted = set(keys)
        numbered = [key for key in wanted if key.lot]
        self._facts = lot_trace.lot_facts(unit.connection, numbered)
        self._moves: dict[LotKey, list[Movement]] = {}
        for one in lot_trace.movements(unit.connection, numbered):
            self._moves.setdefault(LotKey(one.product, one.lot), []).append(one)
        moves = [one for listed in self._moves.values() for one in listed]
        self._open = self._warehouses_open(unit)
        self._numbers, self._partner = self._documents(unit, {(one.form, one.document) for one in moves})
        ids = {key.product for key in wanted}
        self._units = counted(door, unit, ids)
        self._names = Names(door.language)
        for key in ids:
            self._names.want_id(self._products, key)
        for warehouse in {one.warehouse for one in moves}:
            self._names.want_id(self._warehouses, warehouse)
        self._names.load(unit)

    def lots(
        self, levels: Sequence[Sequence[LotKey]], steps: Sequence[Sequence[Step]], way: str
    ) -> tuple[LotView, ...]:
        """The lots of every level, each with the steps that lead to it."""
        made: list[LotView] = []
        for number, (keys, taken) in enumerate(zip(levels, steps, strict=True), start=1):
            leading: dict[LotKey, list[Step]] = {}
            for one in taken:
                leading.setdefault(one.target if way == "down" else one.source, []).append(one)
            made += [self.lot(key, number, [(way, one) for one in leading.get(key, ())]) for key in keys]
        return tuple(made)

    def lot(self, key: LotKey, level: int, leading: Sequence[tuple[str, Step]]) -> LotView:
        """One lot. Movements of one document that cancel each other (transfers) are not told."""
        facts = self._facts.get(key, LotFacts(None, None, ZERO, ZERO))
        by_document: dict[tuple[str, int], list[Movement]] = {}
        for one in self._moves.get(key, ()):
            by_document.setdefault((one.form, one.document), []).append(one)
        real = {place: listed for place, listed in by_document.items() if sum(one.quantity for one in listed)}
        totals = [sum((one.quantity for one in listed), ZERO) for listed in real.values()]
        came = sum((one for one in totals if one > ZERO), ZERO)
        went = -sum((one for one in totals if one < ZERO), ZERO)
        return LotView(
            level=level,
            product=key.product,
            product_text=self._names.name(self._products, key.product),
            lot=key.lot,
            unit=self._units.name(key.product),
            made=facts.made,
            expires=facts.expires,
            freshness=freshness(facts.made, facts.expires, self._today),
            came=came,
            went=went,
            on_hand=facts.on_hand,
            mixed=self._units.mixed(key.product, facts.on_hand),
            second=self._units.second(key.product, facts.aux),
            closes=not key.lot or came - went == facts.on_hand,
            moves=tuple(self._move(listed) for listed in real.values()),
            links=tuple(self._link(way, one) for way, one in leading),
        )

    def _move(self, listed: Sequence[Movement]) -> LotMoveView:
        one = next(
            (one for one in listed if (one.quantity > ZERO) == (sum(o.quantity for o in listed) > ZERO)), listed[0]
        )
        place = (one.form, one.document)
        shown = place in self._numbers and (self._open is None or one.warehouse in self._open)
        return LotMoveView(
            day=one.day,
            move=move_label(self._door, one.move),
            form=one.form if shown else "",
            document=one.document,
            number=self._numbers[place] if shown else "",
            partner=self._partner.get(place, "") if shown else "",
            warehouse_text=self._names.name(self._warehouses, one.warehouse) if shown else "",
            quantity=sum((each.quantity for each in listed), ZERO),
            second=self._units.second(one.product, sum((each.aux for each in listed), ZERO)),
        )

    def _link(self, way: str, one: Step) -> LinkView:
        near = one.source if way == "down" else one.target
        place = (one.form, one.document)
        return LinkView(
            product_text=self._names.name(self._products, near.product),
            lot=near.lot,
            used=one.used,
            made=one.made,
            form=one.form if place in self._numbers else "",
            document=one.document,
            number=self._numbers.get(place, ""),
        )

    def _warehouses_open(self, unit: Unit) -> frozenset[int] | None:
        condition = allowed(self._door, unit, self._warehouses)
        if condition is None:
            return None
        return frozenset(documents.record_ids(unit.connection, unit.tables, self._warehouses, condition))

    def _documents(
        self, unit: Unit, wanted: set[tuple[str, int]]
    ) -> tuple[Mapping[tuple[str, int], str], Mapping[tuple[str, int], str]]:
        """Numbers of the documents the person may read, and who is on the other side of them."""
        dimensions = self._door.bundle.app.dimensions
        partners = {dimensions.customer, dimensions.supplier} - {None}
        known = numbers(self._door, unit, wanted)
        other: dict[tuple[str, int], tuple[str, int]] = {}
        names = Names(self._door.language)
        for key in sorted({form for form, _ in known}):
            form = self._door.bundle.forms[key]
            access = self._door.access(form)
            fields = {
                name: str(target)
                for name, field in form.fields.items()
                if (target := getattr(field.options, "to", None)) in partners and access.readable(name)
            }
            ids = [document for one, document in known if one == key] if fields else ()
            for identity, row in documents.load_rows(unit.connection, unit.tables, key, ids, fields).items():
                for name, target in fields.items():
                    if isinstance(value := row.values.get(name), int):
                        other[key, identity] = (target, value)
                        names.want_id(target, value)
        names.load(unit)
        return known, {place: names.name(*found) for place, found in other.items()}


def _partners(lots: Iterable[LotView], *, outwards: bool) -> tuple[str, ...]:
    return tuple(
        sorted(
            {move.partner for one in lots for move in one.moves if move.partner and (move.quantity < ZERO) is outwards}
        )
    )
