"""The ledgers that every app has, each declared by its dimensions and by the grains its balances are kept at.

A ledger is data: the posting decision, the locks, the fold of ``verify`` and the stock page all read this declaration,
so a further ledger is a further value, not further code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from engine.labels import Label
from engine.ledger.balance import BalanceKey
from engine.ledger.entry import Entry

PLACE = ("product", "warehouse")
OPEN_LINE = ("product", "warehouse", "ref_form", "ref_line")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """A ledger.

    Attributes:
        dimensions: what an entry must name, in the vocabulary of ``EntryDef.dimensions``.
        grains: name of a grain → the entry attributes that make its key.
        per_line: open quantities are kept per document line (supply, reservation).
    """

    key: str
    label: Label
    dimensions: tuple[str, ...]
    grains: Mapping[str, tuple[str, ...]]
    per_line: bool = False


def ledgers(cost_scope: str) -> Mapping[str, Ledger]:
    """The declared ledgers for a cost scope (``company``: one cost per product; ``warehouse``: one per place)."""
    pool = ("product",) if cost_scope == "company" else PLACE
    declared = (
        Ledger(
            key="stock",
            label=Label("库存流水", "Stock ledger"),
            dimensions=PLACE,
            grains=MappingProxyType({"place": PLACE, "pool": pool}),
        ),
        Ledger(
            key="supply",
            label=Label("在途", "In transit"),
            dimensions=PLACE,
            grains=MappingProxyType({"place": PLACE, "line": OPEN_LINE}),
            per_line=True,
        ),
        Ledger(
            key="reservation",
            label=Label("占用", "Reserved"),
            dimensions=PLACE,
            grains=MappingProxyType({"place": PLACE, "line": OPEN_LINE}),
            per_line=True,
        ),
        Ledger(
            key="payable",
            label=Label("应付", "Payable"),
            dimensions=("supplier",),
            grains=MappingProxyType({"partner": ("partner",)}),
        ),
        Ledger(
            key="receivable",
            label=Label("应收", "Receivable"),
            dimensions=("customer",),
            grains=MappingProxyType({"partner": ("partner",)}),
        ),
        Ledger(
            key="variance",
            label=Label("成本差异", "Cost variance"),
            dimensions=("product",),
            grains=MappingProxyType({"product": ("product",)}),
        ),
    )
    return MappingProxyType({ledger.key: ledger for ledger in declared})


def keys_of(ledger: Ledger, entry: Entry) -> tuple[BalanceKey, ...]:
    """The balances an entry changes: one per grain."""
    return tuple(
        BalanceKey(ledger.key, grain, **{name: getattr(entry, name) for name in names})
        for grain, names in ledger.grains.items()
    )
