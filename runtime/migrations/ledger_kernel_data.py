"""What revision 0002 does with entries posted before it. Frozen with it: it knows the first kernel, not today's code.

Every value the first kernel found stands as stated. Where the order of business dates cannot bear it (documents dated
back, remainders of reversals), the entry gets derived entries like any other that costing corrects, so that figures
worked out anew equal those kept. Then chains are linked and balances folded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from itertools import groupby
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
import yaml

EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
PAGE = 2_000
GUARDED = "ledger_guarded_after"
NUMBERS = (
    "id", "product", "warehouse", "bin", "owner", "partner", "subject", "ref_document", "ref_line", "quantity", "value",
    "aux", "document", "line", "batch", "origin", "stated", "mirror_of", "user",
)  # fmt: skip
TEXTS = (
    "ledger", "lot", "serial", "status", "element", "ref_form", "move", "form", "action", "basis", "snapshot", "hash",
)  # fmt: skip
HASHED = (
    "id", "ledger", "product", "warehouse", "bin", "lot", "serial", "status", "owner", "partner", "subject", "element",
    "ref_form", "ref_document", "ref_line", "quantity", "value", "aux", "due", "move", "form", "document", "line",
    "action", "batch", "biz_date", "basis", "origin", "stated", "mirror_of", "snapshot", "posted_at", "user",
)  # fmt: skip
LETTERS = (
    ("product", "p"), ("warehouse", "w"), ("partner", "c"), ("ref_form", "f"), ("ref_document", "d"), ("ref_line", "i"),
    ("move", "m"), ("month", "t"),
)  # fmt: skip
Grains = Mapping[str, tuple[str, ...]]
OPEN: Grains = MappingProxyType(
    {"place": ("product", "warehouse"), "line": ("product", "warehouse", "ref_form", "ref_line")}
)
MONEY: Grains = MappingProxyType({"partner": ("partner",), "document": ("partner", "ref_form", "ref_document")})
ENTRY = sa.table(
    "sys_entry",
    *(sa.column(name, sa.BigInteger) for name in NUMBERS),
    *(sa.column(name, sa.Text) for name in TEXTS),
    sa.column("due", sa.Date), sa.column("biz_date", sa.Date), sa.column("posted_at", sa.DateTime),
)  # fmt: skip
BALANCE = sa.table(
    "sys_balance",
    *(sa.column(name) for name in (
        "key", "ledger", "grain", "product", "warehouse", "bin", "lot", "serial", "status", "owner", "partner",
        "subject", "element", "ref_form", "ref_document", "ref_line", "move", "month", "quantity", "value", "entries",
        "head", "version",
    )),
    sa.column("last_day", sa.Date),
)  # fmt: skip


@dataclass(slots=True)
class Sums:
    """A balance while it is folded, scaled."""

    names: dict[str, object]
    quantity: int = 0
    value: int = 0
    last_day: date | None = None
    entries: int = 0
    head: str = ""


@dataclass(slots=True)
class Pool:
    """Moving average as it was, over amounts that are all stated; money in units of the last place kept."""

    unit: int
    quantity: int = 0
    value: int = 0
    last: int = 0

    def settle(self, quantity: int, stated: int) -> int:
        """What a move changes the pool's value by; the rest of what is stated is a variance."""
        if not quantity:
            value = max(stated, -self.value) if self.quantity > 0 else 0
        elif quantity > 0:
            value = self._received(quantity, stated)
        elif self.quantity + quantity > 0:
            value = max(stated, -self.value)
        else:
            value = -self._issued(-quantity)
        self.quantity, self.value = self.quantity + quantity, self.value + value
        if quantity > 0 and stated > 0:
            self.last = _rounded(stated * 10**8, quantity, 1)
        elif quantity and value:
            self.last = _rounded(abs(value) * 10**8, abs(quantity), 1)
        return value

    def _received(self, quantity: int, stated: int) -> int:
        if self.quantity >= 0:
            return stated
        cleared = min(quantity, -self.quantity)
        carried = _rounded(self.value * cleared, self.quantity, self.unit)
        return carried + _rounded(stated * (quantity - cleared), quantity, self.unit)

    def _issued(self, quantity: int) -> int:
        held = max(self.quantity, 0)
        if held and (self.value or quantity == held):
            return _rounded(self.value * quantity, held, self.unit)
        return _rounded(self.last * (quantity - held), 10**8, self.unit)


def carry_over(connection: sa.Connection) -> None:
    """Give old entries their basis, settle what does not add up, link chains and fold balances."""
    last = connection.execute(sa.select(sa.func.max(ENTRY.c.id))).scalar_one_or_none()
    if last is None:
        return
    settings = _settings(connection)
    _guard(connection, on=False)
    _restate(connection)
    pool = ("product", "warehouse") if settings.get("cost_scope") == "warehouse" else ("product",)
    _append(connection, [*_corrections(connection, pool, int(settings.get("money_decimals", 2)))])
    grains: dict[str, Grains] = {
        "stock": {"place": OPEN["place"], "cost": pool, "month": (*OPEN["place"], "move", "month")},
        "supply": OPEN, "reservation": OPEN, "payable": MONEY, "receivable": MONEY,
        "variance": {"product": ("product",)},
    }  # fmt: skip
    _link(connection, grains)
    _guard(connection, on=True)
    connection.execute(
        sa.text("INSERT INTO sys_setting (key, value) VALUES (:key, :value)"), {"key": GUARDED, "value": str(last)}
    )


def _settings(connection: sa.Connection) -> Mapping[str, Any]:
    """Company switches of the app that is published; those of an app that says nothing."""
    found = connection.execute(
        sa.text(
            "SELECT s.files FROM sys_current c JOIN sys_snapshot s ON s.hash = c.hash"
            " ORDER BY c.since DESC, c.app LIMIT 1"
        )
    ).scalar_one_or_none()
    app = yaml.safe_load(json.loads(found).get("app.yaml", "")) if found else None
    return (app or {}).get("settings") or {}


def _guard(connection: sa.Connection, *, on: bool) -> None:
    """Entries are never changed; this once they are."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"ALTER TABLE sys_entry {'ENABLE' if on else 'DISABLE'} TRIGGER USER")
    elif on:
        connection.exec_driver_sql(
            "CREATE TRIGGER sys_entry_update BEFORE UPDATE ON sys_entry"
            " BEGIN SELECT RAISE(ABORT, 'sys_entry is append-only'); END"
        )
    else:
        connection.exec_driver_sql("DROP TRIGGER sys_entry_update")


def _restate(connection: sa.Connection) -> None:
    """What was posted was stated; what a reversal left over was derived from the entry it reversed."""
    connection.execute(ENTRY.update().where(ENTRY.c.ledger == "stock").values(stated=ENTRY.c.value))
    mirror = ENTRY.alias("mirror")
    residues = connection.execute(
        sa.select(ENTRY.c.id, sa.func.max(mirror.c.id))
        .join(
            mirror,
            sa.and_(
                mirror.c.form == ENTRY.c.form, mirror.c.document == ENTRY.c.document, mirror.c.batch == ENTRY.c.batch,
                mirror.c.product == ENTRY.c.product, mirror.c.ledger == "stock", mirror.c.mirror_of.is_not(None),
                mirror.c.id < ENTRY.c.id,
            ),
        )
        .where(ENTRY.c.move == "residue")
        .group_by(ENTRY.c.id)
    ).all()  # fmt: skip
    for residue, reversal in residues:
        origin = sa.select(ENTRY.c.mirror_of).where(ENTRY.c.id == reversal).scalar_subquery()
        connection.execute(
            ENTRY.update().where(ENTRY.c.id == residue).values(basis="derived", action="cost", origin=origin, stated=0)
        )


def _corrections(connection: sa.Connection, pool: tuple[str, ...], places: int) -> Iterator[dict[str, Any]]:
    """Derived entries for what the order of business dates finds otherwise."""
    mirror = ENTRY.alias("mirror")
    live = sa.and_(ENTRY.c.mirror_of.is_(None), ~sa.exists().where(mirror.c.mirror_of == ENTRY.c.id))
    moves = connection.execute(
        sa.select(ENTRY)
        .where(ENTRY.c.ledger == "stock", ENTRY.c.basis != "derived", live)
        .order_by(*(ENTRY.c[name] for name in pool), ENTRY.c.biz_date, ENTRY.c.id)
        .execution_options(yield_per=PAGE)
    ).mappings()
    for _, rows in groupby(moves, key=lambda row: tuple(row[name] for name in pool)):
        goods = Pool(10 ** (4 - places))
        for row in rows:
            value = goods.settle(row["quantity"], row["stated"])
            if value != row["value"]:
                yield _derived(dict(row), row["ledger"], value - row["value"])
                yield _derived(dict(row), "variance", row["value"] - value)
    left = connection.execute(
        sa.select(ENTRY.c.origin, ENTRY.c.ledger, sa.func.sum(ENTRY.c.value))
        .where(ENTRY.c.basis == "derived")
        .group_by(ENTRY.c.origin, ENTRY.c.ledger)
        .order_by(ENTRY.c.origin, ENTRY.c.ledger)
    ).all()
    for origin, ledger, value in left:
        row = connection.execute(sa.select(ENTRY).where(ENTRY.c.id == origin)).mappings().one()
        if value:
            yield _derived(dict(row), ledger, -int(value))


def _derived(row: Mapping[str, Any], ledger: str, value: int) -> dict[str, Any]:
    further = {
        "ledger": ledger, "quantity": 0, "aux": 0, "stated": 0, "value": value, "action": "cost", "basis": "derived",
        "origin": row["id"], "mirror_of": None, "ref_form": row["form"], "ref_document": row["document"],
    }  # fmt: skip
    return {**row, **further, "warehouse": 0 if ledger == "variance" else row["warehouse"]}


def _append(connection: sa.Connection, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        found = connection.exec_driver_sql(
            "SELECT nextval('sys_id_seq') FROM generate_series(1, %s)", (len(rows),)
        ).scalars()
        ids = sorted(found)
    else:
        last = connection.exec_driver_sql(
            "UPDATE sys_counter SET value = value + ? WHERE name = 'id' AND period = '' RETURNING value", (len(rows),)
        ).scalar_one()
        ids = list(range(last - len(rows) + 1, last + 1))
    newest = connection.execute(sa.select(sa.func.max(ENTRY.c.posted_at))).scalar_one()
    connection.execute(
        ENTRY.insert(),
        [{**row, "id": number, "posted_at": newest, "user": 0} for number, row in zip(ids, rows, strict=True)],
    )


def _link(connection: sa.Connection, grains: Mapping[str, Grains]) -> None:
    """Hash every entry after the one before it in its chain, and fold every balance."""
    balances: dict[str, Sums] = {}
    hashed = ENTRY.update().where(ENTRY.c.id == sa.bindparam("entry")).values(hash=sa.bindparam("linked"))
    last = 0
    while True:
        page = sa.select(ENTRY).where(ENTRY.c.id > last).order_by(ENTRY.c.id).limit(PAGE)
        rows = [dict(row) for row in connection.execute(page).mappings()]
        if not rows:
            break
        links = []
        for row in rows:
            row["month"] = row["biz_date"].year * 100 + row["biz_date"].month
            of_ledger = grains[row["ledger"]]
            chain = _sums(balances, row["ledger"], next(iter(of_ledger.items())), row)
            chain.head = hashlib.sha256("\x1f".join((chain.head, *_words(row))).encode()).hexdigest()
            links.append({"entry": row["id"], "linked": chain.head})
            for grain in of_ledger.items():
                if grain[0] != "document" or row["ref_document"]:
                    _add(_sums(balances, row["ledger"], grain, row), row)
        connection.execute(hashed, links)
        last = rows[-1]["id"]
    kept = [_balance(key, sums) for key, sums in sorted(balances.items())]
    for start in range(0, len(kept), PAGE):
        connection.execute(BALANCE.insert(), kept[start : start + PAGE])


def _sums(balances: dict[str, Sums], ledger: str, grain: tuple[str, tuple[str, ...]], row: Mapping[str, Any]) -> Sums:
    name, dimensions = grain
    parts = [
        letter + str(row[each]).replace("\\", "\\\\").replace("|", "\\!")
        for each, letter in LETTERS
        if each in dimensions and row[each]
    ]
    key = "|".join((ledger, name, *parts))
    if key not in balances:
        balances[key] = Sums({"ledger": ledger, "grain": name, **{each: row[each] for each in dimensions}})
    return balances[key]


def _add(sums: Sums, row: Mapping[str, Any]) -> None:
    sums.quantity += row["quantity"]
    sums.value += row["value"]
    sums.last_day = row["biz_date"] if sums.last_day is None else max(sums.last_day, row["biz_date"])
    sums.entries += 1


def _balance(key: str, sums: Sums) -> dict[str, object]:
    empty = {
        **dict.fromkeys(("product", "warehouse", "bin", "owner", "partner", "subject", "ref_document", "ref_line"), 0),
        **dict.fromkeys(("lot", "serial", "status", "element", "ref_form", "move"), ""),
        "month": 0, "version": 1,
    }  # fmt: skip
    return {
        **empty, **sums.names, "key": key, "quantity": sums.quantity, "value": sums.value, "last_day": sums.last_day,
        "entries": sums.entries, "head": sums.head,
    }  # fmt: skip


def _words(row: Mapping[str, Any]) -> Iterator[str]:
    for name in HASHED:
        value = row[name]
        if name == "posted_at":
            yield value.isoformat(timespec="microseconds")
        elif name in ("due", "mirror_of"):
            yield str(value) if value else ""
        else:
            yield str(value)


def _rounded(numerator: int, denominator: int, unit: int) -> int:
    """A quotient rounded half up to a multiple of ``unit``."""
    quotient = EXACT.divide(Decimal(numerator), Decimal(denominator * unit))
    return int(quotient.quantize(Decimal(1), context=EXACT)) * unit
