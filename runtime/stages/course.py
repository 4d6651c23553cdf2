"""Where the course of costs begins for one posting: at the end, or on the first day something is put into its middle.

In order, nothing is read beyond the locked balances (and open layers, and what returns refer to). Back-dated or
reversed, everything after that day in the pools concerned is read once, with whatever took its cost from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from engine.ledger import (
    Balance,
    BalanceKey,
    Entry,
    Ledger,
    Origin,
    Start,
    at_places,
    cost_order,
    key_at,
    keys_of,
    pool_of,
    variance_key,
)
from engine.ledger.balance import EMPTY
from engine.pools import CostMethod, Layer, Part, PoolState, Use
from engine.values import ZERO, divided
from runtime.storage import courses, layers
from runtime.storage.database import Connection
from runtime.storage.locks import lock_balances

NEXT_DAY = timedelta(days=1)
CUT = frozenset({"stock", "wip"})
FOLLOWING = frozenset({"source", "share", "pair"})
HOLDING = frozenset({"cost", "subject"})  # grains: whoever holds such a balance is the only one to write its entries
Stream = tuple[int, int]  # product, warehouse (0 where all warehouses share one cost)


@dataclass(slots=True)
class Window:
    """What lies after the cut: by product (and warehouse) and by subject, from which day; and the entries there."""

    streams: dict[Stream, date] = field(default_factory=dict)
    subjects: dict[int, date] = field(default_factory=dict)
    entries: dict[int, Entry] = field(default_factory=dict)

    def holds(self, entry: Entry, stream: Stream) -> bool:
        """Whether ``entry`` lies after the cut."""
        if entry.ledger == "expense":
            return True
        days: date | None = self.subjects.get(entry.subject) if entry.ledger == "wip" else self.streams.get(stream)
        return days is not None and entry.biz_date >= days


@dataclass(slots=True)
class PoolCut:
    """A cost pool at the cut.

    Attributes:
        later: whether entries come after the cut. quantity, value: what they changed it by. day: the first of theirs.
        leaving: how much the document takes from it. priced: all it does is bring goods at a price, which needs no
            earlier one.
    """

    key: BalanceKey
    later: bool = False
    quantity: Decimal = ZERO
    value: Decimal = ZERO
    day: date = date.max
    leaving: Decimal = ZERO
    priced: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The start, the later stock entries for the guard, and the balances with those it locked in addition."""

    start: Start
    later: Sequence[Entry]
    balances: Mapping[BalanceKey, Balance]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plotter:
    """Finds the course of one posting.

    Attributes:
        fresh: entries about to be written, as far as they are known. reversing: entries about to be reversed.
        origins: posted entries that ``fresh`` refers to, by id.
    """

    connection: Connection
    declared: Mapping[str, Ledger]
    method: CostMethod
    fresh: Sequence[Entry]
    reversing: Sequence[Entry]
    origins: Mapping[int, Entry]

    def course(self, balances: Mapping[BalanceKey, Balance]) -> Course:
        """The course, under the locks that ``balances`` stand for; further ones are taken where it reaches further."""
        window = self._cut(balances)
        if window.streams or window.subjects:
            self._fill(window)
            while missing := self._wanted(window) - balances.keys():
                balances = {**balances, **lock_balances(self.connection, missing)}
                if self.connection.dialect.name == "sqlite" or not any(key.grain in HOLDING for key in missing):
                    break  # nobody else could write what was read
                self._fill(window)  # pools nobody held until now may have moved since they were read
        return self._assembled(window, balances)

    def _wanted(self, window: Window) -> set[BalanceKey]:
        """Balances that settling what is in the window again may change."""
        first = [here[0] for here in at_places(window.entries.values())]
        found = {key for one in first for key in keys_of(self.declared[one.ledger], one)}
        return found | {variance_key(product) for product, _ in window.streams if product}

    def _stream(self, entry: Entry) -> Stream:
        shared = "warehouse" not in self.declared["stock"].grains["cost"].dimensions
        return entry.product, 0 if shared and not entry.owner else entry.warehouse

    def _cut(self, balances: Mapping[BalanceKey, Balance]) -> Window:
        window = Window()
        for entry in self.fresh:
            ledger = self.declared[entry.ledger]
            if entry.ledger not in CUT:
                continue
            key = key_at(ledger, "cost" if entry.ledger == "stock" and not entry.owner else ledger.chain, entry)
            last = balances.get(key, EMPTY).last_day
            if last is not None and last > entry.biz_date:
                self._lower(window, entry, entry.biz_date + NEXT_DAY)
        for entry in self.reversing:
            if entry.ledger in CUT:
                self._lower(window, entry, entry.biz_date)
        return window

    def _lower(self, window: Window, entry: Entry, day: date) -> bool:
        """Cut before ``day`` where ``entry`` stands; tells whether that is earlier than it was."""
        lowered = False
        if entry.ledger != "wip":
            stream = self._stream(entry)
            lowered = stream not in window.streams or day < window.streams[stream]
            window.streams[stream] = min(day, window.streams.get(stream, day))
        # What a settlement shares out is what it took from work in process on that day, so that is found again with it.
        if entry.ledger == "wip" or (entry.basis == "share" and entry.subject):
            lowered |= entry.subject not in window.subjects or day < window.subjects[entry.subject]
            window.subjects[entry.subject] = min(day, window.subjects.get(entry.subject, day))
        return lowered

    def _fill(self, window: Window) -> None:
        """Read everything after the cut, and cut further pools that take their cost from there."""
        changed = True
        while changed:
            window.entries.clear()
            for (product, warehouse), day in window.streams.items():
                for one in courses.stock_from(self.connection, product, warehouse, day):
                    window.entries[one.id or 0] = one
            for subject, day in window.subjects.items():
                for one in courses.subject_from(self.connection, subject, day):
                    if one.ledger == "wip" or one.basis == "share":
                        window.entries[one.id or 0] = one
            found = [one for one in window.entries.values() if one.basis == "share" and one.subject]
            found += courses.depending_on(self.connection, window.entries, ("stock", "wip"))
            lowered = [self._lower(window, one, one.biz_date) for one in found if one.basis in FOLLOWING]
            changed = any(lowered)
        # What became an expense hands nothing on, so it is no reason to look further.
        spent = courses.depending_on(self.connection, window.entries, ("expense",))
        spent = [*spent, *courses.depending_on(self.connection, [one.id or 0 for one in spent], ("expense",))]
        window.entries.update({one.id or 0: one for one in spent})

    def _assembled(self, window: Window, balances: Mapping[BalanceKey, Balance]) -> Course:
        within = {identity: one for identity, one in window.entries.items() if window.holds(one, self._stream(one))}
        gone = {one.mirror_of for one in within.values() if one.mirror_of is not None}
        gone |= {one.id or 0 for one in self.reversing}
        rows = sorted(
            (one for one in within.values() if one.basis != "derived" and one.mirror_of is None and one.id not in gone),
            key=cost_order,
        )
        origins, uses_by_origin = self._origins(rows, within)
        start = Start(
            pools=self._pools(rows, within, balances, uses_by_origin),
            bags=self._bags(within, balances),
            origins=origins,
            rows=rows,
            derived=self._derived(rows, within),
        )
        return Course(start=start, later=[one for one in rows if one.ledger == "stock"], balances=balances)

    def _derived(self, rows: Sequence[Entry], within: Mapping[int, Entry]) -> Mapping[int, tuple[Decimal, Decimal]]:
        concerned = [one.id or 0 for one in (*rows, *self.reversing)]
        values = corrections(within.values())
        variances = corrections(courses.depending_on(self.connection, concerned, ("variance",)))
        return {
            identity: (values.get(identity, ZERO), variances.get(identity, ZERO))
            for identity in values.keys() | variances.keys()
        }

    def _bags(self, within: Mapping[int, Entry], balances: Mapping[BalanceKey, Balance]) -> Mapping[int, Decimal]:
        held: dict[int, Decimal] = {}
        for one in (*self.fresh, *self.reversing, *within.values()):
            if one.ledger == "wip":
                key = key_at(self.declared["wip"], "subject", one)
                held[one.subject] = balances.get(key, EMPTY).value
        for one in within.values():
            if one.ledger == "wip":
                held[one.subject] -= one.value
        return held

    def _pools(
        self,
        rows: Sequence[Entry],
        within: Mapping[int, Entry],
        balances: Mapping[BalanceKey, Balance],
        uses_by_origin: Mapping[int, tuple[Use, ...]],
    ) -> Mapping[str, PoolState]:
        cuts = self._cuts(within)
        opened = layers.open_layers(self.connection, cuts) if self.method.layered else {}
        rerun = [one.id or 0 for one in (*rows, *self.reversing)]
        uses = layers.uses_of(self.connection, rerun) if self.method.layered and rerun else ()
        named = layers.layers_of(self.connection, {use.layer for use in uses}) if uses else {}
        states = {}
        for text, cut in cuts.items():
            kept, layered = balances.get(cut.key, EMPTY), opened.get(text, ())
            if cut.later:
                present = PoolState(quantity=kept.quantity, value=kept.value, layers=layered, uses=uses_by_origin)
                states[text] = self._rewound(cut, present, uses, named.get(text, ()), within)
            else:
                last, latest = self._prices(cut, kept)
                states[text] = PoolState(kept.quantity, kept.value, last, latest, layered, uses_by_origin)
        return states

    def _cuts(self, within: Mapping[int, Entry]) -> Mapping[str, PoolCut]:
        """Every pool the document or the course touches, by the text of its key."""
        found: dict[str, PoolCut] = {}

        def cut_of(one: Entry) -> PoolCut | None:
            pool = pool_of(self.declared, one)
            if pool and pool not in found:
                found[pool] = PoolCut(key_at(self.declared["stock"], "cost", one))
            return found.get(pool)

        for one in self.fresh:
            cut = cut_of(one)
            if cut is not None:
                cut.leaving -= min(one.quantity, ZERO)
                cut.priced &= one.basis == "given" and one.quantity > ZERO and one.value > ZERO
        for one in within.values():
            cut = cut_of(one)
            if cut is not None:
                cut.later = True
                cut.quantity += one.quantity
                cut.value += one.value
                cut.day = min(cut.day, one.biz_date)
        return found

    def _prices(self, cut: PoolCut, kept: Balance) -> tuple[Decimal, Decimal]:
        """The unit costs of a pool to fall back on, as far as the document may come to need them."""
        last, latest = ZERO, ZERO
        empty = kept.quantity <= ZERO or not kept.value or kept.quantity < cut.leaving
        if empty and not (cut.priced and kept.quantity >= ZERO):
            last = courses.last_cost(self.connection, self._dimensions(cut.key))
        if self.method.layered and any(one.basis != "given" and one.quantity > ZERO for one in self.fresh):
            latest = courses.latest_price(self.connection, self._dimensions(cut.key))
        return last, latest

    def _rewound(
        self,
        cut: PoolCut,
        present: PoolState,
        uses: Sequence[Use],
        named: Iterable[Layer],
        within: Mapping[int, Entry],
    ) -> PoolState:
        dimensions = self._dimensions(cut.key)
        known = {(one.entry, one.part): one for one in (*named, *present.layers) if one.entry not in within}
        mine = [use for use in uses if (use.layer, use.part) in known or use.layer in within]
        return self.method.rewound(
            present, [(cut.quantity, cut.value)], mine, known.values(),
            last=courses.last_cost(self.connection, dimensions, cut.day),
            latest=courses.latest_price(self.connection, dimensions, cut.day) if self.method.layered else ZERO,
        )  # fmt: skip

    def _dimensions(self, key: BalanceKey) -> Mapping[str, object]:
        return {name: getattr(key, name) for name in self.declared["stock"].grains["cost"].dimensions}

    def _origins(
        self, rows: Sequence[Entry], within: Mapping[int, Entry]
    ) -> tuple[Mapping[int, Origin], Mapping[int, tuple[Use, ...]]]:
        """What earlier entries are known by, that later ones take their cost from."""
        running = {one.id for one in rows}
        wanted = {one.origin for one in rows if one.origin and one.origin not in running}
        wanted |= {identity for identity in self.origins if identity not in running}
        if not wanted:
            return {}, {}
        found = {**courses.entries_by_id(self.connection, wanted - self.origins.keys()), **self.origins}
        dependents = courses.depending_on(self.connection, wanted, ("stock", "wip"))
        reversed_ids = courses.reversed_among(self.connection, [one.id or 0 for one in dependents])
        known = {
            identity: Origin(
                ledger=one.ledger, pool=pool_of(self.declared, one), quantity=one.quantity, value=one.value
            )
            for identity, one in found.items()
            if identity in wanted
        }
        leaving = {one.id for one in self.reversing}
        shares = [one.id or 0 for one in dependents if one.basis == "share"]
        added = corrections(courses.depending_on(self.connection, shares, ("stock",)))
        returns: dict[int, list[int]] = {}
        for one in sorted(dependents, key=cost_order):
            origin = known[one.origin]
            if one.basis == "derived":
                origin.value += one.value
            elif one.mirror_of is None and one.id not in running | reversed_ids | leaving:
                if one.basis == "source":
                    origin.returned += one.quantity
                    returns.setdefault(one.origin, []).append(one.id or 0)
                elif one.basis == "share" and origin.quantity + origin.returned > ZERO:
                    capitalised = one.value + added.get(one.id or 0, ZERO)
                    origin.landed += divided(capitalised, origin.quantity + origin.returned)
        uses: dict[int, tuple[Use, ...]] = {}
        if self.method.layered:
            listed = layers.uses_of(self.connection, {*wanted, *(each for many in returns.values() for each in many)})
            for identity in known:
                group = {identity, *returns.get(identity, ())}
                uses[identity] = tuple(use for use in listed if use.entry in group)
                known[identity].parts = tuple(
                    Part(day=use.day, root=use.root, quantity=use.quantity, value=use.value)
                    for use in listed
                    if use.entry == identity and use.quantity > ZERO
                )
        return known, uses


def corrections(entries: Iterable[Entry]) -> Mapping[int, Decimal]:
    """What costing has added to entries, by their id, as far as ``entries`` tell."""
    found: dict[int, Decimal] = {}
    for one in entries:
        if one.basis == "derived":
            found[one.origin] = found.get(one.origin, ZERO) + one.value
    return found
