"""What forbids a posting: stock that is not there, now or on a later day; one serial number in two places."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from decimal import Decimal

from engine.ledger.balance import EMPTY, Balance, BalanceKey, available_keys
from engine.ledger.course import cost_order
from engine.ledger.declared import UNUSABLE, Ledger, key_at, keys_of
from engine.ledger.entry import FRESH, Entry
from engine.ledger.facts import Facts, Policy
from engine.problems import Problem, distinct, problem
from engine.values import LARGEST, MONEY_SCALE, QUANTITY_SCALE, ZERO

MOST_QUANTITY, MOST_MONEY = LARGEST[QUANTITY_SCALE], LARGEST[MONEY_SCALE]
DOCUMENT = "document"  # the grain of open amounts


def refused(
    entries: Sequence[Entry],
    wheres: Mapping[int, str],
    reversed_entries: Sequence[Entry],
    backs: Mapping[int, Entry],
    balances: Mapping[BalanceKey, Balance],
    declared: Mapping[str, Ledger],
    facts: Facts,
    policy: Policy,
    past: Callable[[int, str], bool],
    counted: Collection[int] = (),
) -> tuple[Problem, ...]:
    """Every reason not to post.

    Args:
        entries: what the document writes, numbered from ``FRESH`` on; wheres: the address of each by its id.
        backs: of a red document, the original's entry each gives back of, by its id.
        balances: as they become; those not among them stay as ``facts`` has them.
        past: whether a lot of a product is past its last good day.
        counted: ids of entries that say what a count found: goods that are not there are nobody's, reserved or not.
    """
    after = _After(facts.balances, balances)
    stock = [entry for entry in entries if entry.ledger == "stock" and entry.quantity]
    found: list[Problem] = [*_serials(stock, wheres, after), *_own(entries, wheres, after, declared)]
    found += _settlements(entries, wheres, backs, after, declared, facts)
    found += _too_large(entries, wheres, balances, declared)
    # What only adds goods leaves no place, lot or later day with less than it had.
    if not policy.negative_stock and any(entry.quantity < ZERO for entry in stock):
        where = {_place(entry): wheres.get(entry.id or 0, "") for entry in reversed(stock)}
        short = list(_short(stock, where, after, facts, past, counted))
        short += _short_details(stock, where, after, declared, facts)
        found += short
        if not short:
            found += _later(stock, where, reversed_entries, after, declared, facts)
    return distinct(found)


class _After:
    """Balances before and after."""

    def __init__(self, before: Mapping[BalanceKey, Balance], after: Mapping[BalanceKey, Balance]) -> None:
        self._before, self._after = before, after

    def before(self, key: BalanceKey) -> Decimal:
        return self._before.get(key, EMPTY).quantity

    def held(self, key: BalanceKey) -> Decimal:
        return (self._after.get(key) or self._before.get(key, EMPTY)).quantity

    def value(self, key: BalanceKey) -> Decimal:
        return (self._after.get(key) or self._before.get(key, EMPTY)).value

    def value_before(self, key: BalanceKey) -> Decimal:
        return self._before.get(key, EMPTY).value


def _too_large(
    entries: Sequence[Entry],
    wheres: Mapping[int, str],
    balances: Mapping[BalanceKey, Balance],
    declared: Mapping[str, Ledger],
) -> Iterator[Problem]:
    """Balances that could not be kept any more (64-bit integers of millionths and ten-thousandths)."""
    beyond = {
        key: one
        for key, one in balances.items()
        if abs(one.quantity) > MOST_QUANTITY
        or abs(one.value) > MOST_MONEY
        or (one.aux and abs(one.aux) > MOST_QUANTITY)
    }
    for entry in entries if beyond else ():
        ledger = declared[entry.ledger]
        for key in keys_of(ledger, entry):
            if key in beyond:
                quantity, value = max(beyond[key].quantity, beyond[key].aux, key=abs), beyond[key].value
                where = wheres.get(entry.id or 0, "")
                yield problem("ledger.balance_out_of_range", where, ledger=ledger.label, quantity=quantity, value=value)
                break


def _place(entry: Entry) -> tuple[int, int]:
    return entry.product, entry.warehouse


def _short(
    stock: Sequence[Entry],
    where: Mapping[tuple[int, int], str],
    after: _After,
    facts: Facts,
    past: Callable[[int, str], bool],
    counted: Collection[int],
) -> Iterator[Problem]:
    """Places this posting takes more from than is there, or more than others leave it: goods that are usable, not
    expired and not reserved.

    Whoever delivers what was reserved for them leaves the others as they were, and may do so even while more is
    reserved than there are good goods; what a count did not find was not there for anybody (docs/ledger.md).
    """
    lots, missing = _lots_moved(stock), dict[tuple[int, int], Decimal]()
    for entry in stock if counted else ():
        if entry.id in counted:
            missing[_place(entry)] = missing.get(_place(entry), ZERO) - entry.quantity
    for at in dict.fromkeys(map(_place, stock)):
        place, unusable, reserved = available_keys(*at)
        usable = after.held(place) - after.held(unusable)
        needed = after.before(place) - after.before(unusable) - usable
        held = after.held(reserved)
        given = after.before(reserved) - held + missing.get(at, ZERO)
        short = min(usable, ZERO) if needed > ZERO else ZERO
        gone, expired = needed, ZERO
        moved = lots.get(at, {})
        if moved and held > ZERO and -sum((min(one, ZERO) for one in moved.values()), ZERO) > given:
            aged = sum((one for lot, one in moved.items() if past(at[0], lot)), ZERO)
            gone, expired = needed + aged, facts.expired.get(at, ZERO) + aged
        if gone > max(given, ZERO):
            short = min(short, usable - expired - held)
        if short < ZERO:
            needed = max(needed, gone)
            yield problem(
                "ledger.insufficient",
                where.get(at, ""),
                product=facts.product_names.get(at[0], str(at[0])),
                warehouse=facts.warehouse_names.get(at[1], str(at[1])),
                available=needed + short,
                needed=needed,
                missing=-short,
            )


def _lots_moved(stock: Sequence[Entry]) -> Mapping[tuple[int, int], Mapping[str, Decimal]]:
    """By how much the usable goods of each lot change, by place, where lots move at all; empty: goods without one."""
    found: dict[tuple[int, int], dict[str, Decimal]] = {_place(entry): {} for entry in stock if entry.lot}
    for entry in stock if found else ():
        lots = found.get(_place(entry))
        if lots is not None and entry.status not in UNUSABLE and not entry.owner:
            lots[entry.lot] = lots.get(entry.lot, ZERO) + entry.quantity
    return found


def _short_details(
    stock: Sequence[Entry],
    where: Mapping[tuple[int, int], str],
    after: _After,
    declared: Mapping[str, Ledger],
    facts: Facts,
) -> Iterator[Problem]:
    """Lots, bins, serial numbers and statuses that do not hold what was taken from them."""
    detail = declared["stock"].grains["detail"]
    seen: set[BalanceKey] = set()
    for entry in stock:
        if not detail.counts(entry) or (key := key_at(declared["stock"], "detail", entry)) in seen:
            continue
        seen.add(key)
        left, before = after.held(key), after.before(key)
        if left < ZERO and left < before:
            yield problem(
                "ledger.insufficient_detail",
                where.get(_place(entry), ""),
                product=facts.product_names.get(entry.product, str(entry.product)),
                warehouse=facts.warehouse_names.get(entry.warehouse, str(entry.warehouse)),
                detail=" ".join(part for part in (entry.lot, entry.serial, entry.status) if part) or str(entry.bin),
                available=before,
                needed=before - left,
            )


def _serials(stock: Sequence[Entry], wheres: Mapping[int, str], after: _After) -> Iterator[Problem]:
    """A serial number is one thing: it cannot come in while it is in any warehouse."""
    for entry in stock:
        if entry.serial and entry.quantity > ZERO:
            key = BalanceKey("stock", "serial", product=entry.product, serial=entry.serial)
            if after.held(key) > 1:
                yield problem("ledger.serial_here", wheres.get(entry.id or 0, ""), serial=entry.serial)


def _own(
    entries: Sequence[Entry], wheres: Mapping[int, str], after: _After, declared: Mapping[str, Ledger]
) -> Iterator[Problem]:
    """Balances of an app's own ledgers that may not go below zero."""
    for entry in entries:
        ledger = declared[entry.ledger]
        if not ledger.nonnegative:
            continue
        key = key_at(ledger, ledger.chain, entry)
        if after.held(key) < ZERO or after.value(key) < ZERO:
            yield problem(
                "ledger.own_negative", wheres.get(entry.id or 0, ""), ledger=ledger.label,
                balance=min(after.held(key), after.value(key)),
            )  # fmt: skip


def _settlements(
    entries: Sequence[Entry],
    wheres: Mapping[int, str],
    backs: Mapping[int, Entry],
    after: _After,
    declared: Mapping[str, Ledger],
    facts: Facts,
) -> Iterator[Problem]:
    """Nobody settles more than a document has open (核销), nor takes back a document of which something is settled.

    What a red document had settled is open again afterwards: that is no settlement, and its lines bound it.
    """
    seen: set[BalanceKey] = set()
    for entry in entries:
        if DOCUMENT not in declared[entry.ledger].grains or not entry.ref_document:
            continue
        key = next(one for one in keys_of(declared[entry.ledger], entry) if one.grain == DOCUMENT)
        if key in seen:
            continue
        seen.add(key)
        before, now = after.value_before(key), after.value(key)
        where = wheres.get(entry.id or 0, "")
        if (entry.ref_form, entry.ref_document) == (entry.form, entry.document):
            if entry.mirror_of is not None and now:
                yield problem("ledger.settled", where, amount=abs(now))
            continue
        back = backs.get(entry.id or 0)
        own = back is not None and (back.ref_form, back.ref_document) == (back.form, back.document)
        if back is not None and not own:
            continue
        if entry.mirror_of is None and (now * before < ZERO or abs(now) > abs(before)):
            number = facts.numbers.get((entry.ref_form, entry.ref_document), "")
            code = "ledger.settled_red" if own else "ledger.over_settled"
            yield problem(code, where, number=number, open=before, asked=before - now)


def _later(
    stock: Sequence[Entry],
    where: Mapping[tuple[int, int], str],
    reversed_entries: Sequence[Entry],
    after: _After,
    declared: Mapping[str, Ledger],
    facts: Facts,
) -> Iterator[Problem]:
    """A back-dated issue or a cancelled receipt must leave every later balance at or above zero (domain rule C9)."""
    gone = {entry.id for entry in reversed_entries}
    ledger = declared["stock"]
    for grain in ("place", "detail"):
        for key, moves in _lowered(stock, facts.later, ledger, grain).items():
            moves = [entry for entry in moves if entry.id not in gone]
            running = after.held(key) - sum((entry.quantity for entry in moves), ZERO)
            for entry in sorted(moves, key=cost_order):
                running += entry.quantity
                if running < ZERO and entry.quantity < ZERO:
                    yield _breaks(entry, running, where, facts)
                    break


def _lowered(
    stock: Sequence[Entry], later: Sequence[Entry], ledger: Ledger, grain: str
) -> Mapping[BalanceKey, list[Entry]]:
    """The balances ``stock`` takes from, each with all that moves it, posted later or now."""
    counts = ledger.grains[grain].counts
    moves: dict[BalanceKey, list[Entry]] = {
        key_at(ledger, grain, one): [] for one in stock if one.quantity < ZERO and counts(one)
    }
    for one in (*later, *(new for new in stock if new.mirror_of is None)) if moves else ():
        if one.quantity and counts(one) and (key := key_at(ledger, grain, one)) in moves:
            moves[key].append(one)
    return moves


def _breaks(entry: Entry, running: Decimal, where: Mapping[tuple[int, int], str], facts: Facts) -> Problem:
    own = (entry.id or 0) > FRESH
    return problem(
        "ledger.negative_then" if own else "ledger.later_negative",
        where.get(_place(entry), ""),
        product=facts.product_names.get(entry.product, str(entry.product)),
        warehouse=facts.warehouse_names.get(entry.warehouse, str(entry.warehouse)),
        number=facts.numbers.get((entry.form, entry.document), "") if not own else "",
        day=entry.biz_date,
        missing=-running,
    )
