"""The ledgers an app has, each declared by its dimensions and by the grains its balances are kept at.

A ledger is data: the posting decision, the locks, the fold of ``verify`` and the pages all read this declaration, so a
further ledger is a further value. An app adds its own in ``app.yaml`` (``ledgers:``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from operator import attrgetter
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from engine.definitions import posting
from engine.definitions.app import AppSettings, LedgerDef
from engine.labels import Label
from engine.ledger.balance import EMPTY, Balance, BalanceKey
from engine.ledger.entry import Entry

PLACE = ("product", "warehouse")
DETAIL = ("bin", "lot", "serial", "status", "owner")
OPEN_LINE = ("product", "warehouse", "ref_form", "ref_line")
UNUSABLE = frozenset(posting.UNUSABLE)
PARTNERS = ("supplier", "customer")


class Standing(NamedTuple):
    """Everything of an entry that a key is made of or a grain asks for: entries of one standing change the same
    balances."""

    ledger: str
    product: int
    warehouse: int
    bin: int
    lot: str
    serial: str
    status: str
    owner: int
    partner: int
    subject: int
    element: str
    ref_form: str
    ref_document: int
    ref_line: int
    move: str
    biz_date: date

    @property
    def month(self) -> int:
        """The month it counts in, ``YYYYMM``."""
        return self.biz_date.year * 100 + self.biz_date.month


_STANDS = attrgetter(*Standing._fields)

Only: TypeAlias = Literal["", "detailed", "owned", "unusable", "serial", "referring", "element"]


@dataclass(frozen=True, slots=True)
class Grain:
    """A grain: the entry attributes that make its key, and which entries it counts.

    Attributes:
        only: empty: every entry. ``detailed``: those that name a bin, lot, serial number, status or owner. ``owned``:
            goods that are ours. ``unusable``: goods nobody may be promised. ``serial``: those with a serial number.
            ``referring``: those that refer to a document. ``element``: those with an element.
    """

    dimensions: tuple[str, ...]
    only: Only = ""

    def counts(self, entry: Entry | Standing) -> bool:
        """Whether ``entry`` belongs to a balance of this grain."""
        if not self.only:
            return True
        if self.only == "owned":
            return not entry.owner
        if self.only == "detailed":
            return bool(entry.bin or entry.lot or entry.serial or entry.status or entry.owner)
        if self.only == "unusable":
            return entry.status in UNUSABLE or bool(entry.owner)
        if self.only == "serial":
            return bool(entry.serial)
        return bool(entry.ref_document) if self.only == "referring" else bool(entry.element)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ledger:
    """A ledger. Declared once per app, hence known by its identity.

    Attributes:
        dimensions: what an entry must name, in the vocabulary of ``EntryDef.dimensions``.
        grains: by name; the first one counts every entry and carries the hash chain.
        per_line: open quantities are kept per document line (supply, demand, reservation).
        valued: whose values costing finds and finds again (stock, work in process, what became an expense).
        subject: form of the records ``subject`` names, for an app's own ledgers.
        nonnegative: the balances of the first grain may not go below zero.
    """

    key: str
    label: Label
    dimensions: tuple[str, ...]
    grains: Mapping[str, Grain]
    per_line: bool = False
    valued: bool = False
    subject: str = ""
    nonnegative: bool = False

    @property
    def chain(self) -> str:
        """Name of the grain that carries the hash chain."""
        return next(iter(self.grains))


@lru_cache(maxsize=64)
def ledgers(settings: AppSettings, own: tuple[LedgerDef, ...] = ()) -> Mapping[str, Ledger]:
    """The ledgers of an app with these company switches and these ledgers of its own."""
    pool: tuple[str, ...] = ("product",) if settings.cost_scope == "company" else PLACE
    if settings.cost_by_lot:
        pool = (*pool, "lot")
    money = {"partner": Grain(("partner",)), "document": Grain(("partner", "ref_form", "ref_document"), "referring")}
    open_quantity = {"place": Grain(PLACE), "line": Grain(OPEN_LINE)}
    declared = (
        _ledger(
            "stock", "库存流水", "Stock ledger", PLACE,
            {
                "place": Grain(PLACE),
                "cost": Grain(pool, "owned"),
                "month": Grain((*PLACE, "move", "month")),
                "detail": Grain((*PLACE, *DETAIL), "detailed"),
                "unusable": Grain(PLACE, "unusable"),
                "serial": Grain(("product", "serial"), "serial"),
            },
            valued=True,
        ),
        _ledger("supply", "在途", "In transit", PLACE, open_quantity, per_line=True),
        _ledger("demand", "待发", "To be delivered", PLACE, open_quantity, per_line=True),
        _ledger(
            "reservation", "占用", "Reserved", PLACE,
            {**open_quantity, "hold": Grain((*PLACE, "element"), "element")},
            per_line=True,
        ),
        _ledger("freeze", "盘点冻结", "Frozen for counting", ("warehouse",), {"scope": Grain(PLACE)}),
        _ledger("payable", "应付", "Payable", ("supplier",), money),
        _ledger("receivable", "应收", "Receivable", ("customer",), money),
        _ledger("prepaid", "预付", "Paid in advance", ("supplier",), money),
        _ledger("advance", "预收", "Received in advance", ("customer",), money),
        _ledger("cash", "账户流水", "Cash accounts", ("subject",), {"account": Grain(("subject",))}),
        _ledger(
            "wip", "在制品", "Work in process", ("subject",),
            {"subject": Grain(("subject",)), "element": Grain(("subject", "element"), "element")},
            valued=True,
        ),
        _ledger("expense", "费用", "Expenses", ("element",), {"item": Grain(("element",))}, valued=True),
        _ledger("variance", "成本差异", "Cost variance", ("product",), {"product": Grain(("product",))}),
        *(_declared(one) for one in own),
    )  # fmt: skip
    return MappingProxyType({ledger.key: ledger for ledger in declared})


def _ledger(
    key: str,
    zh: str,
    en: str,
    dimensions: tuple[str, ...],
    grains: Mapping[str, Grain],
    *,
    per_line: bool = False,
    valued: bool = False,
) -> Ledger:
    return Ledger(
        key=key, label=Label(zh, en), dimensions=dimensions, grains=MappingProxyType(dict(grains)), per_line=per_line,
        valued=valued,
    )  # fmt: skip


def _declared(own: LedgerDef) -> Ledger:
    grains = {"all": Grain(_attributes(own.dimensions))}
    grains.update({each.grain: Grain(_attributes(each.dimensions)) for each in own.grains})
    return Ledger(
        key=own.ledger, label=own.label, dimensions=own.dimensions, grains=MappingProxyType(grains),
        subject=own.subject or "", nonnegative=own.nonnegative,
    )  # fmt: skip


def _attributes(dimensions: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys("partner" if name in PARTNERS else name for name in dimensions))


def keys_of(ledger: Ledger, entry: Entry) -> tuple[BalanceKey, ...]:
    """The balances an entry changes: one per grain that counts it, that of the chain first."""
    return _keys(ledger, _STANDS(entry))


def key_at(ledger: Ledger, grain: str, entry: Entry) -> BalanceKey:
    """The balance of one grain that ``entry`` belongs to."""
    return _key(ledger, grain, _STANDS(entry))


def pool_of(declared: Mapping[str, Ledger], row: Entry) -> str:
    """Text of the key of the cost pool a stock entry moves; empty for goods that are not ours."""
    return "" if row.ledger != "stock" or row.owner else _pool(declared["stock"], _STANDS(row))


# A posting asks for the keys of one entry to lock, to settle, to chain and to fold it, and the next posting of the same
# goods on the same day asks again.
@lru_cache(maxsize=4_096)
def _keys(ledger: Ledger, stands: tuple[object, ...]) -> tuple[BalanceKey, ...]:
    entry = Standing(*stands)  # type: ignore[arg-type]
    return tuple(_made(ledger, name, entry) for name, grain in ledger.grains.items() if grain.counts(entry))


@lru_cache(maxsize=4_096)
def _key(ledger: Ledger, grain: str, stands: tuple[object, ...]) -> BalanceKey:
    return _made(ledger, grain, Standing(*stands))  # type: ignore[arg-type]


@lru_cache(maxsize=4_096)
def _pool(stock: Ledger, stands: tuple[object, ...]) -> str:
    return _made(stock, "cost", Standing(*stands)).text  # type: ignore[arg-type]


def _made(ledger: Ledger, grain: str, entry: Standing) -> BalanceKey:
    return BalanceKey(ledger.key, grain, **{name: getattr(entry, name) for name in ledger.grains[grain].dimensions})


def added_up(
    before: Mapping[BalanceKey, Balance], entries: Iterable[Entry], declared: Mapping[str, Ledger]
) -> dict[BalanceKey, Balance]:
    """Every balance these entries change, as it is after them."""
    after: dict[BalanceKey, Balance] = {}
    for here in at_places(entries):
        for key in keys_of(declared[here[0].ledger], here[0]):
            after[key] = (after.get(key) or before.get(key, EMPTY)).plus(*here)
    return after


def at_places(entries: Iterable[Entry]) -> Collection[Sequence[Entry]]:
    """The entries in groups of one place and day, which change the same balances."""
    found: dict[object, list[Entry]] = {}
    for entry in entries:
        found.setdefault(_STANDS(entry), []).append(entry)
    return found.values()
