"""The decision of posting: requests and locked balances in, entries and new balances out.

Quantities are settled one request after the other, each against what the ones before it left; values by the course of
costs. Nothing is read here: the caller has locked every key the requests, releases and reversals need and loaded what
comes after them. The policies are those of docs/ledger.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from engine.document import RED, Document
from engine.ledger.balance import EMPTY, Balance, BalanceKey, available, line_key
from engine.ledger.course import Ran, differences, run
from engine.ledger.declared import Ledger, added_up, keys_of, pool_of
from engine.ledger.entry import COST, FRESH, Entry
from engine.ledger.facts import Facts, Layering, LotDates, Policy, Posted, live
from engine.ledger.guards import refused
from engine.ledger.posting import Asked, Request, next_batch, origin_of
from engine.ledger.second import apart
from engine.pools import CostMethod, Layer
from engine.problems import Problem, Severity, problem
from engine.values import ZERO


@dataclass(slots=True)
class Book:
    """Working state of one decision: balances as they become, entries as they come.

    Attributes:
        balances: as the entries up to ``reckoned`` leave them; see ``so_far``.
        backs: entries of which another gives back, by the id of that one.
        counted: ids of entries that say what a count found (盘盈, 盘亏).
    """

    document: Document
    declared: Mapping[str, Ledger]
    facts: Facts
    policy: Policy
    action: str
    batch: int
    biz_date: date
    balances: dict[BalanceKey, Balance] = field(default_factory=dict)
    reckoned: int = -1
    entries: list[Entry] = field(default_factory=list)
    wheres: dict[int, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    lots: dict[tuple[int, str], tuple[LotDates, date]] = field(default_factory=dict)
    reversed: list[Entry] = field(default_factory=list)
    backs: dict[int, Entry] = field(default_factory=dict)
    counted: set[int] = field(default_factory=set)

    def so_far(self) -> Mapping[BalanceKey, Balance]:
        """The balances as this document leaves them so far. Most documents never ask: only what draws from a balance
        or is limited by one does."""
        if self.reckoned < 0:
            self.balances, self.reckoned = dict(self.facts.balances), 0
        for entry in self.entries[self.reckoned :]:
            for key in keys_of(self.declared[entry.ledger], entry):
                self.balances[key] = self.balances.get(key, EMPTY).plus(entry)
        self.reckoned = len(self.entries)
        return self.balances

    def past(self, product: int, lot: str) -> bool:
        """Whether a lot is past its last good day; one this document brings goes by the dates it gives."""
        key = (product, lot)
        dates = self.lots[key][0] if key in self.lots else self.facts.lots.get(key)
        return dates is not None and dates.expires is not None and dates.expires < self.facts.today

    def append(self, entry: Entry, where: str = "", **changes: Any) -> None:
        """Note a further entry, ``entry`` with ``changes``; its id tells its place until it is appended."""
        identity = FRESH + len(self.entries) + 1
        self.entries.append(entry._replace(id=identity, **changes))
        self.wheres[identity] = where


def post(
    document: Document,
    wanted: Sequence[Asked],
    releasing: frozenset[str],
    own: Sequence[Entry],
    action: str,
    biz_date: date,
    declared: Mapping[str, Ledger],
    facts: Facts,
    costing: CostMethod,
    policy: Policy,
) -> Posted:
    """Settle what ``action`` writes: what is wanted, then the release of what the document's own lines still hold.

    Args:
        own: every entry the document has written so far.
    """
    book = _book(document, declared, facts, policy, action, own, biz_date)
    previous: dict[int, Entry] = {}
    for request, entry in wanted:
        ledger = declared[request.definition.ledger]
        if ledger.per_line:
            _open_quantity(book, request, entry)
            continue
        valued = _valued(book, request, entry, previous.get(entry.line)) if ledger.valued else {}
        book.append(entry, request.where, **valued)
        if request.back is not None:
            book.backs[book.entries[-1].id or 0] = request.back
        if request.definition.while_frozen:
            book.counted.add(book.entries[-1].id or 0)
        if ledger.valued:
            previous[entry.line] = book.entries[-1]
        _note_lot(book, request)
    for key, entry in held_lines(own, releasing):
        held = book.so_far().get(key, EMPTY).quantity
        if held > ZERO:
            book.append(
                entry, quantity=-held, value=ZERO, move=f"{entry.move}_release", action=action, batch=book.batch,
                biz_date=biz_date, mirror_of=None,
            )  # fmt: skip
    return _finished(book, costing)


def mirror(
    document: Document,
    reversed_action: str,
    own: Sequence[Entry],
    action: str,
    biz_date: date,
    declared: Mapping[str, Ledger],
    facts: Facts,
    costing: CostMethod,
    policy: Policy,
) -> Posted:
    """Reverse what ``reversed_action`` wrote (反审核, 反关闭): mirror entries on the same business date.

    An entry and its mirror are a pair the course of costs passes over (domain rule C9): what costing had added to the
    entry is taken back, and later entries of its pools are settled as if it had never been.
    """
    book = _book(document, declared, facts, policy, action, own, biz_date)
    for entry in reversed([one for one in live(own) if one.action == reversed_action]):
        book.reversed.append(entry)
        book.append(
            entry, quantity=-entry.quantity, value=-entry.value, aux=-entry.aux, stated=-entry.stated,
            move=f"{entry.move}_cancel", action=action, batch=book.batch, mirror_of=entry.id,
        )  # fmt: skip
    return _finished(book, costing)


def held_lines(own: Sequence[Entry], releasing: frozenset[str]) -> tuple[tuple[BalanceKey, Entry], ...]:
    """The open-line balances a release looks at, each with an entry that describes the line."""
    found = {line_key(entry): entry for entry in live(own) if entry.ledger in releasing}
    return tuple(found.items())


def _book(
    document: Document,
    declared: Mapping[str, Ledger],
    facts: Facts,
    policy: Policy,
    action: str,
    own: Sequence[Entry],
    biz_date: date,
) -> Book:
    return Book(document, declared, facts, policy, action, next_batch(own), biz_date)


def _valued(book: Book, request: Request, entry: Entry, before: Entry | None) -> Mapping[str, Any]:
    """The basis the value of ``entry`` is found by, as changes of it."""
    cost = request.definition.cost
    other_leg = before is not None and before.ledger == "stock" and before.quantity == -entry.quantity
    if cost == "pair" or (cost == "method" and request.value is None and other_leg and entry.quantity > ZERO):
        return _paired(book, request, entry, before)
    if cost == "rest":
        return {"basis": "rest", "stated": request.weight, "value": ZERO}
    if cost in ("source", "share"):
        origin = origin_of(request, book.facts.sources)
        if origin is not None and origin.biz_date > book.biz_date:
            book.problems.append(
                problem("ledger.before_source", request.where, day=book.biz_date, source=origin.biz_date)
            )
        if cost == "share":
            stated = request.value or ZERO
            return {"basis": "share", "origin": (origin.id or 0) if origin else 0, "stated": stated, "value": ZERO}
        returned = {"stated": request.value or ZERO, "value": ZERO}
        if origin is not None:
            return {"basis": "source", "origin": origin.id or 0, **returned}
        return {"basis": "method", **returned}
    if request.value is not None:
        if entry.ledger == "stock" and request.value < ZERO < entry.quantity:
            book.problems.append(problem("ledger.negative_cost", request.where, amount=request.value))
        return {"basis": "given", "stated": request.value}
    return {"basis": "method"}


def _paired(book: Book, request: Request, entry: Entry, before: Entry | None) -> Mapping[str, Any]:
    if before is None:
        book.problems.append(problem("ledger.pair_of_nothing", request.where))
        return {}
    same = before.ledger == "stock" == entry.ledger and pool_of(book.declared, before) == pool_of(book.declared, entry)
    if not same:
        return {"basis": "pair", "origin": before.id or 0}
    place = (before.id or 0) - FRESH - 1
    book.entries[place] = book.entries[place]._replace(basis="neutral", stated=ZERO)
    return {"basis": "neutral", "origin": before.id or 0}


def _note_lot(book: Book, request: Request) -> None:
    if request.definition.ledger != "stock" or not request.lot:
        return
    key = (request.product, request.lot)
    known = book.lots[key][0] if key in book.lots else book.facts.lots.get(key)
    named = LotDates(made=request.made, expires=request.expires)
    if request.quantity > ZERO and (known is None or known == LotDates()):
        book.lots[key] = (named, book.biz_date)
    elif request.quantity > ZERO and known is not None:
        for mine, theirs in ((named.made, known.made), (named.expires, known.expires)):
            if mine is not None and theirs is not None and mine != theirs:
                book.problems.append(
                    problem("ledger.lot_dates", request.where, lot=request.lot, known=theirs, given=mine)
                )
    elif request.definition.expired == "refuse" and known and known.expires and known.expires < book.biz_date:
        book.problems.append(problem("ledger.lot_expired", request.where, lot=request.lot, expires=known.expires))


def _open_quantity(book: Book, request: Request, entry: Entry) -> None:
    line = request.line
    if request.back is not None:
        book.append(_at(entry, request.back), request.where, quantity=request.quantity, value=ZERO)
        return
    if request.definition.consumes:
        if line is None or line.source is None:
            return
        wanted = abs(request.quantity)
        for source in live(book.facts.sources.get((line.source.form, line.source.line), ())):
            if source.ledger != entry.ledger or wanted <= ZERO:
                continue
            taken = min(wanted, max(book.so_far().get(line_key(source), EMPTY).quantity, ZERO))
            if taken:
                wanted -= taken
                book.append(_at(entry, source), request.where, quantity=-taken, value=ZERO)
        return
    quantity = request.quantity
    if request.definition.limit == "available":
        expired = book.facts.expired.get((request.product, request.warehouse), ZERO)
        free = max(available(book.so_far(), request.product, request.warehouse) - expired, ZERO)
        quantity = min(quantity, free) if book.policy.partial_reservation or quantity <= free else ZERO
    if quantity:
        book.append(
            entry, request.where, quantity=quantity, value=ZERO, ref_form=book.document.form,
            ref_document=book.document.id or 0, ref_line=line.id if line and line.id else 0,
        )  # fmt: skip


def _at(entry: Entry, there: Entry) -> Entry:
    """``entry`` in the place, and for the open quantity, of another one."""
    return entry._replace(
        product=there.product,
        warehouse=there.warehouse,
        bin=there.bin,
        lot=there.lot,
        serial=there.serial,
        status=there.status,
        element=there.element,
        ref_form=there.ref_form,
        ref_document=there.ref_document,
        ref_line=there.ref_line,
    )


def _finished(book: Book, costing: CostMethod) -> Posted:
    """Find the values, derive what earlier entries gain or lose by it, and judge the whole."""
    facts, declared = book.facts, book.declared
    fresh = [one for one in book.entries if declared[one.ledger].valued and one.mirror_of is None]
    ran = run(facts.start, fresh, costing, declared, book.policy.places)
    entries = [_worth(one, ran) for one in book.entries]
    entries += _derived(book, fresh, ran)
    balances = added_up(facts.balances, entries, declared)
    if fresh and not _dated_well(book):
        last = max(one.biz_date for one in facts.start.rows)
        book.problems.append(problem("ledger.back_dating", "biz_date", day=book.biz_date, last=last))
    against = refused(
        book.entries, book.wheres, book.reversed, book.backs, balances, declared, facts, book.policy, book.past,
        book.counted,
    )  # fmt: skip
    ends = apart(book.entries, book.wheres, balances, declared, facts, book.counted)
    return Posted(
        entries=tuple(entries),
        balances=balances,
        problems=(*book.problems, *against, *_beyond_worth(book, fresh, ran), *ends),
        layering=_layering(book, ran) if costing.layered else Layering(),
        lots=book.lots,
    )


def _worth(entry: Entry, ran: Ran) -> Entry:
    """``entry`` at the value the course found."""
    done = ran.settled.get(entry.id or 0)
    return entry if done is None or done.value is entry.value else entry._replace(value=done.value)


def _dated_well(book: Book) -> bool:
    """Whether the place of this document in the course of costs is allowed: at its end, or anywhere."""
    return book.policy.back_dating or not any(one.biz_date > book.biz_date for one in book.facts.start.rows)


def _derived(book: Book, fresh: Sequence[Entry], ran: Ran) -> list[Entry]:
    """What costing adds: a difference of value to the entry's own ledger, a price difference to 成本差异."""
    start, found = book.facts.start, []
    changes = differences(start.rows, ran, start.derived)
    changes += [(one, ZERO, ran.settled[one.id or 0].variance) for one in fresh if ran.settled[one.id or 0].variance]
    for entry in book.reversed:
        value, variance = start.derived.get(entry.id or 0, (ZERO, ZERO))
        if value or variance:
            changes.append((entry, -value, -variance))
    for entry, value, variance in changes:
        further = entry._replace(
            quantity=ZERO,
            aux=ZERO,
            stated=ZERO,
            value=value,
            action=COST,
            basis="derived",
            origin=entry.id or 0,
            mirror_of=None,
            ref_form=book.document.form,
            ref_document=book.document.id or 0,
            hash="",
            id=None,
        )
        if value:
            found.append(further)
        if variance:
            found.append(further._replace(ledger="variance", warehouse=0, value=variance))
    return found


def _beyond_worth(book: Book, fresh: Sequence[Entry], ran: Ran) -> Iterator[Problem]:
    """Warnings of amounts without goods (成本调整) that stock cannot bear: what is beyond goes to 成本差异.

    What is taken back in red was agreed to when it was made.
    """
    for one in fresh:
        if one.quantity or one.basis != "given" or one.ledger != "stock" or book.document.origin == RED:
            continue
        done = ran.settled[one.id or 0]
        if done.variance:
            told = problem(
                "ledger.beyond_worth", book.wheres[one.id or 0],
                stated=one.stated, worth=abs(done.value), variance=done.variance,
            )  # fmt: skip
            yield replace(told, severity=Severity.WARNING)


def _layering(book: Book, ran: Ran) -> Layering:
    rows = {one.id or 0: one for one in (*book.entries, *book.facts.start.rows)}
    opened: dict[str, list[Layer]] = {}
    for identity, done in ran.settled.items():
        if done.opened:
            opened.setdefault(pool_of(book.declared, rows[identity]), []).extend(done.opened)
    return Layering(
        rerun=frozenset(one.id or 0 for one in (*book.facts.start.rows, *book.reversed)),
        uses=tuple(use for done in ran.settled.values() for use in done.uses),
        opened=opened,
        open={key: pool.state().layers for key, pool in ran.pools.items()},
    )
