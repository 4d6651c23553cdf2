"""What proving the ledgers reads: every query once, streamed, in the order the proof walks. Reads only.

Proofs look at the figures as they rest, scaled integers, wherever they only add and compare them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from types import MappingProxyType
from typing import Any, NamedTuple

import sqlalchemy as sa

from engine.ledger.declared import Ledger
from engine.ledger.entry import Entry
from runtime.storage.app_tables import AppTables
from runtime.storage.ledger_tables import balance, entry, layer, layer_use
from runtime.storage.ledgers import SELECT, entries_from
from runtime.storage.plain_rows import BATCH, plain, plain_rows
from runtime.storage.product_tables import counter, history, setting

CHUNK = 500
GUARDED = "ledger_guarded_after"  # written by revision 0002
# The order of engine.ledger.chain.words.
WORDS = (
    "id", "ledger", "product", "warehouse", "bin", "lot", "serial", "status", "owner", "partner", "subject", "element",
    "ref_form", "ref_document", "ref_line", "quantity", "value", "aux", "due", "move", "form", "document", "line",
    "action", "batch", "biz_date", "basis", "origin", "stated", "mirror_of", "snapshot", "posted_at", "user",
)  # fmt: skip
PLACE: Mapping[str, int] = MappingProxyType({name: number for number, name in enumerate(WORDS)})


class Leg(NamedTuple):
    """An entry and the one it is the other end of, with all that costing added to either."""

    form: str
    document: int
    line: int
    basis: str
    quantity: Decimal
    other_quantity: Decimal
    value: Decimal
    other_value: Decimal


class Mirrored(NamedTuple):
    """An entry and the one it claims to reverse, or that costing left something on."""

    form: str
    document: int
    line: int
    entry: int
    mirror_of: int


class Move(NamedTuple):
    """A stock entry as the check of running balances reads it; ``quantity`` scaled."""

    id: int
    detail: tuple[object, ...]
    form: str
    document: int
    line: int
    batch: int
    quantity: int
    value: int
    day: date
    snapshot: str
    mirror_of: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Entries of one act of posting: how many there are and how many of them are reversed."""

    form: str
    document: int
    entries: int
    reversed: int


def guarded_after(connection: sa.Connection) -> int:
    """The last entry that was posted before stock was guarded in the order of business dates; 0 in a new workspace."""
    kept = connection.execute(sa.select(setting.c.value).where(setting.c.key == GUARDED)).scalar_one_or_none()
    return int(kept or 0)


def entry_words(connection: sa.Connection) -> Iterator[tuple[list[str], str]]:
    """Every entry in words (see engine.ledger.chain) with its hash, in posting order."""
    columns = [entry.c[name] for name in (*WORDS, "hash")]
    for words in plain_rows(connection, columns, [entry.c.id]):
        kept = words.pop()
        yield words, kept


def chain_heads(connection: sa.Connection) -> Mapping[str, tuple[int, str]]:
    """Entries and head of every balance that keeps a chain, by the text of its key."""
    query = sa.select(balance.c.key, balance.c.entries, balance.c.head).where(balance.c.head != "")
    return {row[0]: (row[1], row[2]) for row in connection.execute(query)}


def moves(connection: sa.Connection, ledger: Ledger, by: Sequence[str]) -> Iterator[tuple[Move, ...]]:
    """Entries of a ledger in posting order, those of one balance (equal in the attributes ``by``) at a time."""
    c = entry.c
    details = [c[name] for name in ("bin", "lot", "serial", "status", "owner")]
    wanted = (
        c.id, *details, c.form, c.document, c.line, c.batch, plain(c.quantity), plain(c.value), c.biz_date,
        c.snapshot, c.mirror_of,
    )  # fmt: skip
    key = [c[name] for name in by]
    query = sa.select(*wanted, *key).where(c.ledger == ledger.key).order_by(*key, c.id)
    rows = connection.execute(query.execution_options(yield_per=BATCH))
    for _, group in groupby(rows, key=lambda row: tuple(row[len(wanted) :])):
        yield tuple(Move(row[0], tuple(row[1:6]), *row[6 : len(wanted)]) for row in group)


def unequal_legs(connection: sa.Connection) -> Iterator[Leg]:
    """Pairs of entries that should cancel out and do not."""
    other = entry.alias("other")
    # What arrives on a shortfall is worth less or more than what left; the rest is the variance of the arrival.
    mine, theirs = _added(variance=True).alias("mine"), _added(variance=False).alias("theirs")
    value = entry.c.value + sa.func.coalesce(mine.c.value, 0)
    other_value = other.c.value + sa.func.coalesce(theirs.c.value, 0)
    query = (
        sa.select(
            entry.c.form, entry.c.document, entry.c.line, entry.c.basis, entry.c.quantity, other.c.quantity,
            value, other_value,
        )
        .join(other, other.c.id == entry.c.origin)
        .outerjoin(mine, mine.c.origin == entry.c.id)
        .outerjoin(theirs, theirs.c.origin == other.c.id)
        .where(
            entry.c.basis.in_(("pair", "neutral")),
            entry.c.origin != 0,
            entry.c.mirror_of.is_(None),
            sa.or_(
                value + other_value != 0,
                sa.and_(entry.c.basis == "neutral", entry.c.quantity + other.c.quantity != 0),
            ),
        )
        .order_by(entry.c.id)
    )  # fmt: skip
    for row in connection.execute(query):
        yield Leg(*row)


def unequal_mirrors(connection: sa.Connection) -> Iterator[Mirrored]:
    """Reversals that are not the exact opposite of what they reverse, or reverse nothing."""
    other = entry.alias("other")
    same = (
        "ledger", "product", "warehouse", "bin", "lot", "serial", "status", "owner", "partner", "subject", "element",
        "form", "document", "line", "biz_date",
    )  # fmt: skip
    query = (
        sa.select(entry.c.form, entry.c.document, entry.c.line, entry.c.id, entry.c.mirror_of)
        .outerjoin(other, other.c.id == entry.c.mirror_of)
        .where(
            entry.c.mirror_of.is_not(None),
            sa.or_(
                other.c.id.is_(None),
                *(entry.c[name] + other.c[name] != 0 for name in ("quantity", "value", "aux")),
                *(entry.c[name] != other.c[name] for name in same),
            ),
        )
        .order_by(entry.c.id)
    )
    for row in connection.execute(query):
        yield Mirrored(*row)


def left_on_reversed(connection: sa.Connection) -> Iterator[Mirrored]:
    """Reversed entries on which costing left a difference of value or a variance."""
    mirror, derived = entry.alias("mirror"), entry.alias("derived")
    query = (
        sa.select(entry.c.form, entry.c.document, entry.c.line, entry.c.id, mirror.c.id)
        .join(mirror, mirror.c.mirror_of == entry.c.id)
        .join(derived, sa.and_(derived.c.origin == entry.c.id, derived.c.basis == "derived"))
        .group_by(entry.c.form, entry.c.document, entry.c.line, entry.c.id, mirror.c.id, derived.c.ledger)
        .having(sa.func.sum(derived.c.value) != 0)
        .order_by(entry.c.id)
    )
    for row in connection.execute(query):
        yield Mirrored(*row)


def half_reversed(connection: sa.Connection) -> Iterator[Batch]:
    """Acts of posting of which some entries are reversed and others are not."""
    mirror = entry.alias("mirror")
    query = (
        sa.select(entry.c.form, entry.c.document, sa.func.count(), sa.func.count(mirror.c.id))
        .outerjoin(mirror, mirror.c.mirror_of == entry.c.id)
        .where(entry.c.mirror_of.is_(None), entry.c.basis != "derived")
        .group_by(entry.c.form, entry.c.document, entry.c.action, entry.c.batch)
        .having(sa.func.count(mirror.c.id) > 0, sa.func.count(mirror.c.id) < sa.func.count())
    )
    for row in connection.execute(query):
        yield Batch(form=row[0], document=row[1], entries=row[2], reversed=row[3])


def _added(*, variance: bool) -> sa.Select[Any]:
    """What costing added to the value of entries, by entry; with what it put to 成本差异 or without."""
    query = sa.select(entry.c.origin, sa.func.sum(entry.c.value).label("value")).where(entry.c.basis == "derived")
    return (query if variance else query.where(entry.c.ledger != "variance")).group_by(entry.c.origin)


def derived_sums(connection: sa.Connection, *, variance: bool) -> Mapping[int, Decimal]:
    """What costing added to entries, by entry: to their value, or to 成本差异."""
    query = sa.select(entry.c.origin, sa.func.sum(entry.c.value)).where(
        entry.c.basis == "derived", entry.c.ledger == "variance" if variance else entry.c.ledger != "variance"
    )
    return {row[0]: row[1] for row in connection.execute(query.group_by(entry.c.origin))}


def cost_links(connection: sa.Connection) -> Iterator[tuple[int, int, int, int]]:
    """(product, subject) of an entry and of the one it takes its cost from, each combination once; a subject that goods
    share in comes with itself."""
    other = entry.alias("other")
    c = entry.c
    query = (
        sa.select(c.product, c.subject, other.c.product, other.c.subject)
        .join(other, other.c.id == c.origin)
        .where(c.ledger.in_(("stock", "wip")), c.origin != 0, c.basis != "derived")
        .distinct()
    )
    for row in connection.execute(query):
        yield row[0], row[1], row[2], row[3]
    own = sa.select(c.product, c.subject).where(c.subject != 0, c.ledger.in_(("stock", "wip"))).distinct()
    for product, subject in connection.execute(own):
        yield product, subject, product, subject


def stock_sizes(connection: sa.Connection) -> Sequence[tuple[int, int]]:
    """Products that have stock entries, with how many they have."""
    query = sa.select(entry.c.product, sa.func.count()).where(entry.c.ledger == "stock").group_by(entry.c.product)
    return [(row[0], row[1]) for row in connection.execute(query.order_by(entry.c.product))]


def course_of(connection: sa.Connection, products: Sequence[int], subjects: Sequence[int]) -> Sequence[Entry]:
    """Stock entries of the products and entries in work in process of the subjects, reversals included, derived not."""
    found: list[Entry] = []
    for ledger, column, wanted in (("stock", entry.c.product, products), ("wip", entry.c.subject, subjects)):
        for start in range(0, len(wanted), CHUNK):
            query = SELECT.where(
                entry.c.ledger == ledger, column.in_(wanted[start : start + CHUNK]), entry.c.basis != "derived"
            )
            found.extend(entries_from(connection.execute(query)))
    return found


def layers_kept(connection: sa.Connection) -> Iterator[tuple[str, int, int, date, int, Decimal, Decimal]]:
    """Pool, entry, part, day, root, quantity and value of every layer with goods in it."""
    c = layer.c
    query = sa.select(c.pool, c.entry, c.part, c.day, c.root, c.quantity, c.value).where(c.quantity != 0)
    for row in connection.execute(query.execution_options(yield_per=BATCH)):
        yield (row[0], row[1], row[2], row[3], row[4], row[5], row[6])


def uses_kept(connection: sa.Connection) -> Iterator[tuple[int, int, int, Decimal, Decimal]]:
    """Entry, layer, part, quantity and value of every use of a layer."""
    c = layer_use.c
    query = sa.select(c.entry, c.layer, c.part, c.quantity, c.value).execution_options(yield_per=BATCH)
    for row in connection.execute(query):
        yield (row[0], row[1], row[2], row[3], row[4])


def numbers_twice(connection: sa.Connection, tables: AppTables, form: str) -> Sequence[tuple[str, int]]:
    """Numbers that more than one document of a form has, with how many."""
    number = tables.forms[form].header.c.number
    query = sa.select(number, sa.func.count()).where(number.is_not(None)).group_by(number)
    return [(row[0], row[1]) for row in connection.execute(query.having(sa.func.count() > 1).order_by(number))]


def counted(connection: sa.Connection, form: str) -> Mapping[str, int]:
    """The last number given by each counter of a form, by its period."""
    query = sa.select(counter.c.period, counter.c.value).where(counter.c.name == f"number:{form}")
    return {row[0]: row[1] for row in connection.execute(query)}


def deletions(connection: sa.Connection, form: str) -> int:
    """How many documents of a form history says were deleted."""
    query = sa.select(sa.func.count()).where(history.c.form == form, history.c.action == "delete")
    return int(connection.execute(query).scalar_one())


def without_history(connection: sa.Connection, tables: AppTables, form: str) -> Sequence[int]:
    """Documents of a form that nobody is known to have made or whose last version nobody is known to have written."""
    header = tables.forms[form].header
    known = (
        sa.select(history.c.document, sa.func.max(history.c.version).label("version"))
        .where(history.c.form == form)
        .group_by(history.c.document)
        .subquery()
    )
    query = sa.select(header.c.id).outerjoin(known, known.c.document == header.c.id).where(known.c.document.is_(None))
    return [row[0] for row in connection.execute(query.order_by(header.c.id))]


def names_of(
    connection: sa.Connection, tables: AppTables, form: str, documents: Iterable[int]
) -> Mapping[int, tuple[str, Mapping[int, int]]]:
    """Number of each document, and the number of each of its lines by line id."""
    if form not in tables.forms:
        return {}
    of_form, wanted = tables.forms[form], sorted(set(documents))
    found: dict[int, tuple[str, dict[int, int]]] = {}
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        header = of_form.header
        for row in connection.execute(sa.select(header.c.id, header.c.number).where(header.c.id.in_(chunk))):
            found[row[0]] = (row[1] or "", {})
        for lines in of_form.lines.values():
            query = sa.select(lines.c.document, lines.c.id, lines.c.line_no).where(lines.c.document.in_(chunk))
            for document, line, number in connection.execute(query):
                if document in found:
                    found[document][1][line] = number
    return found
