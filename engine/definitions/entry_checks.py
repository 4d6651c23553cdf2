"""Checks of what the entries of postings say about cost, goods and documents: words that would mean nothing there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from engine.definitions.form import FormDef
from engine.definitions.load import Loaded
from engine.definitions.posting import STATUSES, EntryDef
from engine.definitions.process_checks import entries_of
from engine.definitions.references import complaint, unknown
from engine.problems import Problem

# Ledgers whose values costing finds, and the ones each way of finding them is for (docs/ledger.md).
VALUED = ("stock", "wip")
COST_LEDGERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"source": ("stock",), "share": ("stock",), "pair": (*VALUED, "expense"), "rest": ("wip",)}
)
DOCUMENT_LEDGERS = ("payable", "receivable", "prepaid", "advance")  # they keep what is open by document
OF_GOODS = ("made", "expires", "aux")  # what only goods have
TEXT = re.compile(r"""\s*(["'])([^"']*)\1\s*""")


def costs_can_be_found(loaded: Loaded) -> Iterator[Problem]:
    """``cost`` stands in a ledger that has costs, and what it takes the cost from is there."""
    before: set[tuple[str, str, str]] = set()  # form, action and table of the valued entries above
    for posting, entry, action, place in entries_of(loaded):
        line = (posting.form, action, entry.each)
        fits = COST_LEDGERS.get(entry.cost)
        if fits is not None and entry.ledger not in fits:
            yield complaint(
                loaded, place / "cost", "definition.cost_ledger", cost=entry.cost, ledgers="、".join(fits)
            )  # fmt: skip
        elif entry.cost == "pair" and line not in before:
            yield complaint(loaded, place / "cost", "definition.pair_of_nothing")
        form = loaded.forms.get(posting.form)
        if entry.cost in ("source", "share") and form is not None and not (form.sources and entry.each):
            yield complaint(loaded, place / "cost", "definition.cost_without_source", cost=entry.cost)
        if entry.weight is not None and entry.cost != "rest":
            yield complaint(loaded, place / "weight", "definition.weight_without_rest", key=True)
        if entry.ledger in VALUED:
            before.add(line)


def entry_words_mean_something(loaded: Loaded) -> Iterator[Problem]:
    """Nothing is said of an entry that its ledger knows nothing about."""
    for _, entry, _, place in entries_of(loaded):
        if entry.refer is not None and entry.ledger not in DOCUMENT_LEDGERS:
            ledgers = "、".join(DOCUMENT_LEDGERS)
            yield complaint(
                loaded, place / "refer", "definition.refer_ledger", key=True, ledger=entry.ledger, ledgers=ledgers
            )  # fmt: skip
        if entry.until is not None and entry.ledger != "reservation":
            yield complaint(loaded, place / "until", "definition.until_reservation", key=True)
        if entry.spread is not None:
            if not entry.each:
                yield complaint(loaded, place / "spread", "definition.spread_without_each", key=True)
            if entry.value is not None:
                yield complaint(loaded, place / "value", "definition.spread_and_value", key=True)
        if entry.ledger != "stock":
            for name in _of_goods(entry):
                yield complaint(loaded, place / name, "definition.stock_only", key=True, name=name)


def serials_are_counted(loaded: Loaded) -> Iterator[Problem]:
    """One entry is made for each serial number, so their number must be the quantity."""
    for _, entry, _, place in entries_of(loaded):
        if "serial" in entry.dimensions and (entry.quantity is None or entry.quantity.strip() == "0"):
            yield complaint(loaded, place / "dimensions" / "serial", "definition.serial_without_quantity", key=True)


def statuses_are_known(loaded: Loaded) -> Iterator[Problem]:
    """A stock status is one the product knows: whether goods may be promised hangs on it."""
    for posting, entry, _, place in entries_of(loaded):
        written = entry.dimensions.get("status")
        if written is None:
            continue
        form = loaded.forms.get(posting.form)
        for name in _values(written, form, entry.each):
            at = place / "dimensions" / "status"
            yield from unknown(loaded, at, "definition.unknown_status", name, STATUSES, statuses="、".join(STATUSES))


def _of_goods(entry: EntryDef) -> Iterator[str]:
    yield from (name for name in OF_GOODS if getattr(entry, name) is not None)
    if entry.while_frozen:
        yield "while_frozen"
    if entry.expired == "allow":
        yield "expired"


def _values(written: str, form: FormDef | None, table: str) -> tuple[str, ...]:
    """The statuses an expression can give, as far as it is plain to see: a text, or the choices of a field."""
    text = TEXT.fullmatch(written)
    if text is not None:
        return (text[2],) if text[2] else ()
    if form is None:
        return ()
    fields = {**form.fields, **(form.fields[table].fields if table in form.fields else {})}
    field = fields.get(written.strip())
    return tuple(getattr(field.options, "choices", ())) if field is not None and field.type == "choice" else ()
