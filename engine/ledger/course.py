"""The course of costs: entries settled one after the other in cost order, (business date, posting order).

Posting a document appends to the course. A back-dated document, a cancellation or a changed cost puts something into
its middle: every entry that comes after it in the pools it touches is settled again, and where its value comes out
differently the ledger gets a derived entry for the difference. What one pool hands to another (a transfer, material
that became a product) follows, because the whole course runs in one order over all pools concerned.

Sources: domain rules C1 to C6, C9. The policies are those of docs/ledger.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from engine.ledger.declared import Ledger, pool_of
from engine.ledger.entry import Entry
from engine.pools import CostMethod, Move, Part, Pool, PoolState, Settled
from engine.shares import spread
from engine.values import EXACT, QUANTITY_SCALE, ZERO, divided, rounded


@dataclass(slots=True, kw_only=True)
class Origin:
    """What is known of an entry that others take their cost from.

    Attributes:
        ledger, pool: where it stands (``pool``: key of its cost pool, empty when it has none).
        quantity, value: of the entry with all that costing added to it.
        landed: value capitalised on it later, per unit kept. returned: quantity given back against it, signed.
        parts: what it took from layers, for a transfer to carry.
    """

    ledger: str = "stock"
    pool: str = ""
    quantity: Decimal = ZERO
    value: Decimal = ZERO
    landed: Decimal = ZERO
    returned: Decimal = ZERO
    parts: tuple[Part, ...] = ()

    def worth(self, quantity: Decimal, places: int) -> Decimal:
        """``quantity`` at the unit cost of this entry, costs capitalised on it since included (domain rule C3)."""
        if not self.quantity:
            return ZERO
        share = divided(self.value * quantity, self.quantity)
        return rounded(EXACT.add(share, self.landed * quantity), places)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Where a course begins.

    Attributes:
        pools: state of each cost pool before the first entry of the course, by the text of its key.
        bags: value each subject holds in work in process then.
        origins: entries before the course that entries of the course refer to.
        rows: entries already posted that are settled again, in cost order; neither reversed ones nor reversals.
        derived: what costing has added to posted entries so far: (value, variance) by entry id, for every row and every
            entry that is being reversed.
    """

    pools: Mapping[str, PoolState]
    bags: Mapping[int, Decimal] = field(default_factory=dict)
    origins: Mapping[int, Origin] = field(default_factory=dict)
    rows: Sequence[Entry] = ()
    derived: Mapping[int, tuple[Decimal, Decimal]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What the course came to.

    Attributes:
        settled: by entry id, those of new entries included.
        pools: the pools as they are left, by the text of their key.
    """

    settled: Mapping[int, Settled]
    pools: Mapping[str, Pool]


@dataclass(slots=True)
class _Run:
    places: int
    pools: dict[str, Pool]
    bags: dict[int, Decimal]
    origins: dict[int, Origin]
    settled: dict[int, Settled] = field(default_factory=dict)
    left: dict[tuple[str, int, int, int], Decimal] = field(default_factory=dict)
    taken: dict[tuple[str, int, int, int, int], Decimal] = field(default_factory=dict)


def run(start: Start, fresh: Sequence[Entry], method: CostMethod, declared: Mapping[str, Ledger], places: int) -> Ran:
    """Settle ``start.rows`` and ``fresh`` in cost order.

    Args:
        fresh: new entries, numbered from ``FRESH`` on in posting order, so that they come last on their day.
    """
    course = _Run(
        places, {key: method.pool(state, places) for key, state in start.pools.items()}, dict(start.bags),
        {identity: replace(origin) for identity, origin in start.origins.items()},
    )  # fmt: skip
    rows = sorted((*start.rows, *fresh), key=cost_order)
    for row in rows:
        if row.basis == "rest":
            job = _job(row)
            course.left[job] = course.left.get(job, ZERO) + row.stated
    followed = {row.origin for row in rows}
    for row in rows:
        identity, pool = row.id or 0, pool_of(declared, row)
        done = course.settled[identity] = _settle(course, row, pool)
        if identity in followed:
            course.origins[identity] = Origin(
                ledger=row.ledger, pool=pool, quantity=row.quantity, value=done.value, parts=done.parts
            )
    return Ran(settled=course.settled, pools=course.pools)


def cost_order(row: Entry) -> tuple[date, int]:
    """Sorts entries as costs are settled: by business date, then in posting order (domain rule C9)."""
    return row.biz_date, row.id or 0


def _settle(course: _Run, row: Entry, key: str) -> Settled:
    if row.ledger == "expense":
        origin = course.origins.get(row.origin)
        return Settled(value=row.stated if row.basis != "pair" or origin is None else -origin.value)
    if row.ledger == "wip":
        return _in_process(course, row)
    if not key:
        return Settled(value=ZERO)
    pool = course.pools[key]
    if row.basis == "neutral":
        return _neutral(course, pool, row)
    if row.basis == "method":
        done = pool.settle(Move(entry=row.id or 0, day=row.biz_date, quantity=row.quantity, basis="method"))
        return _against(row, done)
    origin = course.origins.get(row.origin)
    if row.basis == "pair" and origin is not None:
        return pool.settle(_paired(row, origin))
    if row.basis == "source" and origin is not None:
        return _returned(course, pool, row, origin, key)
    if row.basis == "share":
        return _shared(course, pool, row, origin or Origin())
    return pool.settle(
        Move(entry=row.id or 0, day=row.biz_date, quantity=row.quantity, basis="given", value=row.stated)
    )


def _paired(row: Entry, origin: Origin) -> Move:
    carried = origin.ledger == "stock"
    return Move(
        entry=row.id or 0, day=row.biz_date, quantity=row.quantity, basis="carried" if carried else "given",
        value=-origin.value, parts=_measured(origin, row.quantity) if carried else (),
    )  # fmt: skip


def _measured(origin: Origin, quantity: Decimal) -> tuple[Part, ...]:
    """What the origin took from layers, as ``quantity`` of what it became: ten boxes repacked are thirty bags of the
    same age. A part that comes to nothing at six decimals leaves its value to the next one, the last to the one before.
    """
    whole, parts = -origin.quantity, origin.parts
    if whole == quantity or not parts:
        return parts
    undated = whole - sum((part.quantity for part in parts), ZERO)
    *shares, rest = spread(quantity, [*(part.quantity for part in parts), undated], QUANTITY_SCALE)
    made: list[Part] = []
    worth = ZERO
    for part, share in zip(parts, shares, strict=True):
        worth += part.value
        if share:
            made.append(replace(part, quantity=share, value=worth))
            worth = ZERO
    if worth and made and not rest:
        made[-1] = replace(made[-1], value=made[-1].value + worth)
    return tuple(made)


def _neutral(course: _Run, pool: Pool, row: Entry) -> Settled:
    """Both legs show the goods at their present cost; the pool is not touched."""
    origin = course.origins.get(row.origin)
    if origin is not None:
        return Settled(value=-origin.value)
    amount = pool.worth(abs(row.quantity))
    return Settled(value=amount if row.quantity > ZERO else -amount)


def _returned(course: _Run, pool: Pool, row: Entry, origin: Origin, key: str) -> Settled:
    # Goods that come back to another pool cannot go into the layers they were taken from.
    here = origin.pool == key
    done = pool.settle(
        Move(
            entry=row.id or 0, day=row.biz_date, quantity=row.quantity, basis="source",
            origin=row.origin if row.quantity < ZERO or here else 0, value=origin.worth(row.quantity, course.places),
        )
    )  # fmt: skip
    origin.returned += row.quantity
    return _against(row, done)


def _against(row: Entry, done: Settled) -> Settled:
    """What a return is worth less than its document says, or more, is a variance (domain rule C3)."""
    return done._replace(variance=row.stated - done.value) if row.stated else done


def _shared(course: _Run, pool: Pool, row: Entry, origin: Origin) -> Settled:
    """Value that concerns a receipt; named a subject, it is what the entry before took from that subject."""
    stated = -course.taken.get((*_job(row), row.line), ZERO) if row.subject else row.stated
    base = origin.quantity + origin.returned
    done = pool.settle(
        Move(entry=row.id or 0, day=row.biz_date, basis="share", value=stated, origin=row.origin, base=base)
    )
    if base > ZERO:
        origin.landed += divided(done.value, base)
    return done


def _in_process(course: _Run, row: Entry) -> Settled:
    """Work in process: a bag of value per subject. A rest takes its part of what is in it by then (domain rule C6)."""
    bag = course.bags.get(row.subject, ZERO)
    if row.basis == "rest":
        key = _job(row)
        left = course.left[key]
        part = bag if row.stated == left or not left else rounded(divided(bag * row.stated, left), course.places)
        course.left[key] = left - row.stated
        value = -part
        course.taken[(*key, row.line)] = course.taken.get((*key, row.line), ZERO) + value
    elif row.basis == "pair":
        origin = course.origins.get(row.origin)
        value = -origin.value if origin is not None else row.stated
    else:
        value = row.stated
    course.bags[row.subject] = bag + value
    return Settled(value=value)


def _job(row: Entry) -> tuple[str, int, int, int]:
    return (row.form, row.document, row.batch, row.subject)


def differences(
    rows: Iterable[Entry], ran: Ran, derived: Mapping[int, tuple[Decimal, Decimal]]
) -> list[tuple[Entry, Decimal, Decimal]]:
    """Posted entries whose value or variance came out differently: (entry, further value, further variance)."""
    found = []
    for row in rows:
        done = ran.settled[row.id or 0]
        value, variance = derived.get(row.id or 0, (ZERO, ZERO))
        more, apart = done.value - row.value - value, done.variance - variance
        if (more or apart) and row.basis != "neutral":
            found.append((row, more, apart))
    return found
