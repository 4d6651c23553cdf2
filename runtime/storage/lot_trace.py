"""Which lots became which: one step up or down, for any number of lots at once.

Goods go from lot to lot in two ways. A document turns one into the other (conversion): its inbound entry names the
outbound one as its origin. Or production does: the issue of a lot is paired with an entry in work in process, and what
is finished is paired with one of the same subject. Both are read from the entries by their indexes; nothing is kept
twice. Entries that were reversed, and their reversals, do not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal, NamedTuple, TypeAlias

import sqlalchemy as sa

from engine.values import ZERO
from runtime.storage.ledger_tables import balance, entry, lot

CHUNK = 400
# Written out, not bound: only then does a database see that an index of the rows that name something will do.
NONE: sa.ColumnElement[int] = sa.literal_column("0")
NO_LOT: sa.ColumnElement[str] = sa.literal_column("''")
Direction: TypeAlias = Literal["up", "down"]


class LotKey(NamedTuple):
    """A lot of a product; an empty number stands for goods that are not kept by lot."""

    product: int
    lot: str


class Step(NamedTuple):
    """``source`` went into ``target``.

    Attributes:
        subject: the work in process between them; 0 when a document turned one into the other directly.
        used: how much of ``source`` went that way (of a subject: to all it made). made: how much of ``target`` came.
        form, document: what brought ``target`` in.
    """

    source: LotKey
    target: LotKey
    subject: int
    used: Decimal
    made: Decimal
    form: str
    document: int


class Movement(NamedTuple):
    """What a document moved of a lot in a warehouse, signed; ``aux`` the second quantity."""

    product: int
    lot: str
    warehouse: int
    form: str
    document: int
    move: str
    day: date
    quantity: Decimal
    aux: Decimal


class LotFacts(NamedTuple):
    """Dates of a lot, and what the balances say is on hand of it, in both quantities."""

    made: date | None
    expires: date | None
    on_hand: Decimal
    aux: Decimal


@dataclass(frozen=True, slots=True)
class _Flow:
    """Goods between a lot and a subject: signed as they left the lot or entered it."""

    key: LotKey
    subject: int
    quantity: Decimal
    form: str
    document: int


def steps(connection: sa.Connection, keys: Iterable[LotKey], direction: Direction) -> tuple[Step, ...]:
    """One level: what the lots were made of (``up``) or what was made of them (``down``). Five queries per
    `CHUNK` lots, however many entries they have."""
    wanted = sorted({key for key in keys if key.lot})
    return tuple(_through_production(connection, wanted, direction)) + tuple(_direct(connection, wanted, direction))


def movements(connection: sa.Connection, keys: Iterable[LotKey]) -> tuple[Movement, ...]:
    """What documents moved of the lots, by document and warehouse, in order of date; what came to nothing is left
    out."""
    found: list[Movement] = []
    columns = [entry.c[name] for name in ("product", "lot", "warehouse", "form", "document", "move")]
    total = sa.func.sum(entry.c.quantity)
    for chunk in _chunks(keys):
        query = (
            sa.select(*columns, sa.func.min(entry.c.biz_date), total, sa.func.sum(entry.c.aux))
            .where(_in(entry, "stock"), _among(entry.c.product, entry.c.lot, chunk), _standing(entry))
            .group_by(*columns)
            .having(total != 0)
        )
        found += [Movement._make(row) for row in connection.execute(query)]
    return tuple(sorted(found, key=lambda one: (one.day, one.form, one.document, one.warehouse)))


def lot_facts(connection: sa.Connection, keys: Iterable[LotKey]) -> dict[LotKey, LotFacts]:
    """Dates, and what is on hand by the balances, over all warehouses. Unknown lots are absent."""
    found: dict[LotKey, LotFacts] = {}
    c = balance.c
    for chunk in _chunks(keys):
        held = (
            sa.select(c.product, c.lot, sa.func.sum(c.quantity), sa.func.sum(c.aux))
            .where(c.ledger == "stock", c.grain == "detail", _among(c.product, c.lot, chunk))
            .group_by(c.product, c.lot)
        )
        on_hand = {LotKey(row[0], row[1]): (row[2], row[3] or ZERO) for row in connection.execute(held)}
        dates = sa.select(lot.c.product, lot.c.lot, lot.c.made, lot.c.expires).where(
            _among(lot.c.product, lot.c.lot, chunk)
        )
        for product, number, made, expires in connection.execute(dates):
            key = LotKey(product, number)
            found[key] = LotFacts(made, expires, *on_hand.get(key, (ZERO, ZERO)))
    return found


def products_of(connection: sa.Connection, number: str, limit: int = 50) -> tuple[LotKey, ...]:
    """The lots of this number; two products may share one."""
    query = sa.select(lot.c.product, lot.c.lot).where(lot.c.lot == number).order_by(lot.c.product).limit(limit)
    return tuple(LotKey(*row) for row in connection.execute(query))


def _through_production(connection: sa.Connection, keys: Sequence[LotKey], direction: Direction) -> Iterator[Step]:
    down = direction == "down"
    flows = [one for chunk in _chunks(keys) for one in _flows(connection, chunk=chunk) if (one.quantity < 0) is down]
    subjects = sorted({flow.subject for flow in flows})
    others: dict[int, list[_Flow]] = {}
    for start in range(0, len(subjects), CHUNK):
        for one in _flows(connection, subjects=subjects[start : start + CHUNK]):
            if (one.quantity > 0) is down:
                others.setdefault(one.subject, []).append(one)
    for flow in flows:
        for other in others.get(flow.subject, ()):
            source, target = (flow, other) if down else (other, flow)
            if source.key != target.key:
                yield Step(
                    source.key, target.key, flow.subject, -source.quantity, target.quantity, target.form,
                    target.document,
                )  # fmt: skip


def _flows(connection: sa.Connection, chunk: Sequence[LotKey] = (), subjects: Sequence[int] = ()) -> tuple[_Flow, ...]:
    """Goods between lots and subjects, net: what was brought back (退料) is taken off what was issued. Negative went
    into work in process, positive came out of it. Whichever of the two entries was written first, the other names it
    as its origin."""
    goods, work = entry.alias("goods"), entry.alias("work")
    asked = _among(goods.c.product, goods.c.lot, chunk) if chunk else work.c.subject.in_(subjects)
    columns = (
        goods.c.product, goods.c.lot, work.c.subject, sa.func.sum(goods.c.quantity), sa.func.min(goods.c.form),
        sa.func.min(goods.c.document),
    )  # fmt: skip
    found: dict[tuple[LotKey, int], _Flow] = {}
    for later, earlier in ((work, goods), (goods, work)):
        named = sa.and_(later.c.origin == earlier.c.id, later.c.origin != NONE)
        query = (
            sa.select(*columns)
            .select_from(goods.join(work, sa.and_(named, _in(work, "wip"))))
            .where(_in(goods, "stock"), goods.c.basis != "derived", work.c.basis != "derived")
            .where(goods.c.quantity != 0, work.c.subject != NONE, asked, _standing(goods), _standing(work))
            .group_by(goods.c.product, goods.c.lot, work.c.subject)
        )
        for product, number, subject, quantity, form, document in connection.execute(query):
            key = LotKey(product, number)
            before = found.get((key, subject))
            total = quantity + (before.quantity if before else 0)
            found[key, subject] = _Flow(key, subject, total, form, document)
    return tuple(one for one in found.values() if one.quantity)


def _direct(connection: sa.Connection, keys: Sequence[LotKey], direction: Direction) -> Iterator[Step]:
    given, taken = entry.alias("given"), entry.alias("taken")
    near = given if direction == "down" else taken
    for chunk in _chunks(keys):
        query = (
            sa.select(
                given.c.product, given.c.lot, taken.c.product, taken.c.lot, sa.func.sum(given.c.quantity),
                sa.func.sum(taken.c.quantity), sa.func.min(taken.c.form), sa.func.min(taken.c.document),
            )
            .select_from(given.join(taken, sa.and_(taken.c.origin == given.c.id, taken.c.origin != NONE)))
            .where(_in(given, "stock"), _in(taken, "stock"), given.c.quantity < 0, taken.c.quantity > 0)
            .where(taken.c.basis.in_(("pair", "neutral")))
            .where(sa.or_(given.c.product != taken.c.product, given.c.lot != taken.c.lot))
            .where(_among(near.c.product, near.c.lot, chunk), _standing(given), _standing(taken))
            .group_by(given.c.product, given.c.lot, taken.c.product, taken.c.lot)
        )  # fmt: skip
        for row in connection.execute(query):
            source, target = LotKey(row[0], row[1]), LotKey(row[2], row[3])
            yield Step(source, target, 0, -row[4], row[5], row[6], row[7])


def _in(goods: Any, ledger: str) -> sa.ColumnElement[bool]:
    """Of this ledger. Half of all entries are of one: they are to be found by lot, origin or subject instead."""
    return sa.func.coalesce(goods.c.ledger, "") == ledger


def _standing(goods: Any) -> sa.ColumnElement[bool]:
    """Neither reversed nor a reversal. Nearly all entries are no reversals: no index is to be tried for that."""
    mirror = entry.alias()
    return sa.and_(sa.func.coalesce(goods.c.mirror_of, 0) == 0, ~sa.exists().where(mirror.c.mirror_of == goods.c.id))


def _among(product: Any, number: Any, chunk: Sequence[LotKey]) -> sa.ColumnElement[bool]:
    """The lots of a chunk, by product, so that the index on (product, lot) is of use."""
    by_product: dict[int, list[str]] = {}
    for key in chunk:
        by_product.setdefault(key.product, []).append(key.lot)
    exactly = sa.or_(*(sa.and_(product == one, number.in_(lots)) for one, lots in by_product.items()))
    roughly = (product.in_(sorted(by_product)), number.in_(sorted({key.lot for key in chunk})), number != NO_LOT)
    return sa.and_(*roughly, exactly) if len(by_product) > 1 else sa.and_(*roughly)


def _chunks(keys: Iterable[LotKey]) -> Iterator[Sequence[LotKey]]:
    wanted = sorted(set(keys))
    for start in range(0, len(wanted), CHUNK):
        yield wanted[start : start + CHUNK]
