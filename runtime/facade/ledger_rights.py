"""Which ledgers a person may see the balances of, and which records of them.

Quantities of stock follow the measures and warehouses of the stock page; what partners owe, money and expenses follow
the pages of finance; every other ledger, an app's own among them, is for those who see values. Whatever the ledger, the
records its balances are kept for (customers, accounts, jobs) must be the person's to read.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.ledger import Grain, Ledger
from engine.permissions import is_administrator, may_see_page, stock_measures
from runtime.declared import declared_ledgers, subject_forms
from runtime.facade.door import Door

MEASURE_OF: Mapping[str, str] = MappingProxyType(
    {"stock": "on_hand", "supply": "in_transit", "demand": "reserved", "reservation": "reserved", "freeze": "on_hand"}
)
OF_FINANCE = frozenset({"payable", "receivable", "prepaid", "advance", "cash", "expense"})
FINANCE_PAGES = ("ageing", "statement", "vouchers")
PARTNERS = ("supplier", "customer")


def ledgers_seen(door: Door) -> Mapping[str, Ledger]:
    """The ledgers whose balances the person may see, in the order they are declared."""
    declared = declared_ledgers(door.bundle)
    return {key: each for key, each in declared.items() if _by_role(door, key) and _by_records(door, each)}


def values_seen(door: Door, ledger: str) -> bool:
    """Whether values of a ledger the person may see are shown."""
    if ledger in MEASURE_OF:
        return ledger == "stock" and "value" in stock_measures(door.bundle, door.actor)
    return True


def first_grain(ledger: Ledger) -> Grain:
    """The grain whose balances are shown: the first, which counts every entry."""
    return ledger.grains[ledger.chain]


def record_forms(door: Door, ledger: Ledger, name: str) -> tuple[str, ...]:
    """Forms of the records a dimension of the first grain names; none for a text, or in an app without such a form."""
    parts = door.bundle.app.dimensions
    named: tuple[str | None, ...]
    if name in ("product", "warehouse", "bin"):
        named = (getattr(parts, name),)
    elif name == "partner":
        named = tuple(getattr(parts, side) for side in PARTNERS if side in ledger.dimensions)
    elif name == "owner":
        named = tuple(getattr(parts, side) for side in PARTNERS)
    elif name == "subject":
        named = (ledger.subject,) if ledger.subject else subject_forms(door.bundle, ledger.key)
    else:
        return ()
    return tuple(form for form in named if form and form in door.bundle.forms)


def _by_role(door: Door, ledger: str) -> bool:
    if ledger in OF_FINANCE:
        pages = any(may_see_page(door.bundle, door.actor, page) for page in FINANCE_PAGES)
        return pages or is_administrator(door.actor)
    return MEASURE_OF.get(ledger, "value") in stock_measures(door.bundle, door.actor)


def _by_records(door: Door, ledger: Ledger) -> bool:
    for name in first_grain(ledger).dimensions:
        forms = record_forms(door, ledger, name)
        if name in ("partner", "subject"):
            forms = tuple(form for form in forms if door.may(door.bundle.forms[form], "read"))
        if not forms and name in ("product", "warehouse", "partner", "subject"):
            return False
    return True
