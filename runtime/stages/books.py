"""The books of one workspace during one transaction: lock, plot the course of costs, decide, keep.

This is the only writer of entries and balances. It knows requests, not forms: what a document asks for has been
evaluated before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from engine.document import Document
from engine.ledger import (
    Asked,
    BalanceKey,
    Entry,
    Facts,
    Ledger,
    LotDates,
    Policy,
    Posted,
    Request,
    available_keys,
    held_lines,
    keys_of,
    line_key,
    live,
    mirror,
    origin_of,
    post,
    variance_key,
)
from engine.pools import CostMethod
from runtime.faults import NO_FAULTS, Faults
from runtime.stages.course import Course, Plotter
from runtime.stages.late import Late
from runtime.storage import layers
from runtime.storage import ledgers as ledger_rows
from runtime.storage.database import Connection
from runtime.storage.locks import lock_balances, save_balances
from runtime.storage.stock_rows import expired_stock, lots_of

Sources = Mapping[tuple[str, int], Sequence[Entry]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """The books as one transaction sees them.

    Attributes:
        products, warehouses: names for sentences, by record id. numbers: document numbers by (form, id).
        today: goods whose last good day is before it are expired.
        faults: what tests make go wrong.
    """

    connection: Connection
    declared: Mapping[str, Ledger]
    costing: CostMethod
    policy: Policy
    products: Mapping[int, str]
    warehouses: Mapping[int, str]
    numbers: Mapping[tuple[str, int], str]
    today: date
    faults: Faults = NO_FAULTS

    def post(
        self,
        document: Document,
        wanted: Sequence[Asked],
        releasing: frozenset[str],
        own: Sequence[Entry],
        action: str,
        day: date,
    ) -> Posted:
        """Decide what ``action`` writes; every balance it touches is locked from here on."""
        requests = [request for request, _ in wanted]
        sources = self._sources(requests)
        keys: set[BalanceKey] = set()
        for request, entry in wanted:
            self._add_keys(keys, request, entry, sources)
        for key, entry in held_lines(own, releasing):
            keys |= {key, *keys_of(self.declared[entry.ledger], entry)}
        known = [origin_of(each, sources) for each in requests] if sources else ()
        origins = {one.id or 0: one for one in known if one is not None}
        fresh = [
            entry._replace(basis="method") if request.value is None else entry
            for request, entry in wanted
            if self.declared[entry.ledger].valued
        ]
        course = self._plotter(fresh, (), origins).course(lock_balances(self.connection, keys))
        lots = self._dates((one.product, one.lot) for one in requests)
        aging = {one.product for one in requests if one.lot or one.definition.limit == "available"}
        facts = self._facts(course, sources, lots, aging)
        return post(
            document, wanted, releasing, own, action, day, self.declared, facts, self.costing, self.policy
        )  # fmt: skip

    def mirror(
        self,
        document: Document,
        reversed_action: str,
        touched: Sequence[Entry],
        own: Sequence[Entry],
        action: str,
        day: date,
    ) -> Posted:
        """Decide how ``touched``, what ``reversed_action`` wrote, is reversed."""
        keys = {key for entry in touched for key in keys_of(self.declared[entry.ledger], entry)}
        for entry in touched:
            if entry.ledger == "stock":
                keys.update(available_keys(entry.product, entry.warehouse))
                keys.update(keys_of(self.declared["stock"], entry._replace(move=f"{entry.move}_cancel")))
                keys.add(variance_key(entry.product))
        course = self._plotter((), touched, {}).course(lock_balances(self.connection, keys))
        lots = {(one.product, one.lot) for one in touched if one.lot}
        facts = self._facts(course, {}, Late(lambda: self._dates(lots)), {product for product, _ in lots})
        return mirror(
            document, reversed_action, own, action, day, self.declared, facts, self.costing, self.policy
        )  # fmt: skip

    def past(self, entries: Iterable[Entry]) -> frozenset[tuple[int, str]]:
        """The lots these entries moved, by (product, lot), that are past their last good day."""
        dates = self._dates((one.product, one.lot) for one in entries)
        return frozenset(lot for lot, one in dates.items() if one.expires is not None and one.expires < self.today)

    def keep(self, decided: Posted, at: datetime, user: int) -> Sequence[Entry]:
        """Append the entries, save what they lead to; returns them as appended."""
        self.faults.reach("decided")
        entries, balances = ledger_rows.append_entries(
            self.connection, decided.entries, at, user, decided.balances, self.declared
        )
        self.faults.reach("appended")
        save_balances(self.connection, balances)
        self.faults.reach("balanced")
        layers.save_layering(self.connection, decided.layering, [one.id or 0 for one in entries])
        layers.save_lots(self.connection, decided.lots)
        return entries

    def _plotter(self, fresh: Sequence[Entry], reversing: Sequence[Entry], origins: Mapping[int, Entry]) -> Plotter:
        return Plotter(
            connection=self.connection, declared=self.declared, method=self.costing, fresh=fresh,
            reversing=reversing, origins=origins,
        )  # fmt: skip

    def _facts(
        self, course: Course, sources: Sources, lots: Mapping[tuple[int, str], LotDates], aging: Iterable[int]
    ) -> Facts:
        """``aging``: products whose expired goods may matter."""
        # Read under the locks of the places these goods lie in, and only if somebody asks.
        expired = Late(lambda: expired_stock(self.connection, aging, self.today))
        return Facts(
            balances=course.balances, sources=sources, start=course.start, later=course.later, lots=lots,
            expired=expired, today=self.today, product_names=self.products, warehouse_names=self.warehouses,
            numbers=self.numbers,
        )  # fmt: skip

    def _dates(self, lots: Iterable[tuple[int, str]]) -> Mapping[tuple[int, str], LotDates]:
        found = lots_of(self.connection, lots)
        return {lot: LotDates(made=made, expires=expires) for lot, (made, expires, _) in found.items()}

    def _add_keys(self, keys: set[BalanceKey], request: Request, entry: Entry, sources: Sources) -> None:
        """The balances that deciding about a request reads or changes."""
        ledger, line = self.declared[entry.ledger], request.line
        if ledger.key == "stock" or request.definition.limit == "available":
            keys.update(available_keys(entry.product, entry.warehouse))
        if ledger.key == "stock":
            keys.add(variance_key(entry.product))
        if not ledger.per_line:
            keys.update(keys_of(ledger, entry))
        elif request.back is not None:
            keys.add(line_key(request.back))
            keys.update(keys_of(ledger, request.back))
        elif not request.definition.consumes:
            opened = entry._replace(ref_form=entry.form, ref_line=line.id if line and line.id else 0)
            keys.update(keys_of(ledger, opened))
        elif line is not None and line.source is not None:
            for source in live(sources.get((line.source.form, line.source.line), ())):
                if source.ledger == ledger.key:
                    keys.add(line_key(source))
                    keys.update(keys_of(ledger, source))

    def _sources(self, wanted: Sequence[Request]) -> Sources:
        """What the source lines wrote: read before the locks, for entries never change."""
        lines: dict[str, set[int]] = {}
        for request in wanted:
            definition, line = request.definition, request.line
            looks_back = definition.consumes or definition.cost in ("source", "share")
            if looks_back and line is not None and line.source is not None:
                lines.setdefault(line.source.form, set()).add(line.source.line)
        found: dict[tuple[str, int], list[Entry]] = {}
        for form in sorted(lines):
            for entry in ledger_rows.entries_of_lines(self.connection, form, lines[form]):
                found.setdefault((form, entry.line), []).append(entry)
        return found
