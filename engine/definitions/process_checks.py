"""Cross-reference checks of postings and ledgers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from engine.definitions.file_kinds import APP, POSTINGS
from engine.definitions.load import Loaded
from engine.definitions.pages import PAGES
from engine.definitions.posting import EntryDef, PostingDef
from engine.definitions.reading import Place
from engine.definitions.references import (
    DOCUMENT,
    complaint,
    tables_of,
    unknown,
    unknown_form,
)
from engine.definitions.system_fields import SYSTEM_TYPES
from engine.expressions.types import Kind
from engine.problems import Problem

# What an entry of each ledger must name. ``variance`` is written by the product itself, never by a posting.
LEDGER_DIMENSIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "stock": ("product", "warehouse"),
        "supply": ("product", "warehouse"),
        "demand": ("product", "warehouse"),
        "reservation": ("product", "warehouse"),
        "freeze": ("warehouse",),
        "payable": ("supplier",),
        "receivable": ("customer",),
        "prepaid": ("supplier",),
        "advance": ("customer",),
        "cash": ("subject",),
        "wip": ("subject",),
        "expense": ("element",),
    }
)
MONEY_LEDGERS = ("payable", "receivable", "prepaid", "advance", "cash", "expense")
OPEN_LEDGERS = ("supply", "demand", "reservation", "freeze")
COUNTED_LEDGERS = ("stock", *OPEN_LEDGERS)
ROLES_OF_FORMS = ("product", "warehouse", "supplier", "customer")


def member_field(loaded: Loaded, place: Place, form_key: str, name: str) -> Iterator[Problem]:
    """A problem when ``name`` is no member field of the form."""
    form = loaded.forms.get(form_key)
    if form is None:
        return
    members = [key for key, field in form.fields.items() if field.type == "member"]
    members += [key for key, kind in SYSTEM_TYPES.items() if kind.kind is Kind.MEMBER]
    if name not in members:
        code = "definition.not_a_member" if name in form.fields else "definition.unknown_field"
        yield from unknown(loaded, place, code, name, members)


def postings_belong_to_documents(loaded: Loaded) -> Iterator[Problem]:
    """Only documents post; an entry made line by line names a line table of theirs."""
    for posting, entry, _, place in entries_of(loaded):
        form = loaded.forms.get(posting.form)
        if entry.each and form is not None:
            yield from unknown(loaded, place / "each", "definition.unknown_table", entry.each, tables_of(form))
    for key, posting in loaded.postings.items():
        yield from unknown_form(loaded, Place(POSTINGS, key, ("form",)), posting.form, DOCUMENT)


def entries_name_their_balance(loaded: Loaded) -> Iterator[Problem]:
    """An entry names a ledger there is, and every dimension that ledger keeps its balances by."""
    known = _ledgers(loaded)
    for _, entry, _, place in entries_of(loaded):
        wanted = known.get(entry.ledger)
        if wanted is None:
            yield from unknown(loaded, place / "ledger", "definition.unknown_ledger", entry.ledger, known)
            continue
        for name in wanted:
            if not entry.release and name not in entry.dimensions:
                yield complaint(
                    loaded, place, "definition.dimension_missing", ledger=entry.ledger, dimension=name
                )  # fmt: skip
            if loaded.app is not None and name in ROLES_OF_FORMS and getattr(loaded.app.dimensions, name) is None:
                yield complaint(loaded, place / "ledger", "definition.dimension_form", dimension=name)
        if "supplier" in entry.dimensions and "customer" in entry.dimensions:
            yield complaint(loaded, place / "dimensions", "definition.two_partners", key=True)


def entries_say_how_much(loaded: Loaded) -> Iterator[Problem]:
    """Stock, supply and reservations count; payables and receivables are worth. Releases find out by themselves."""
    known = _ledgers(loaded)
    for posting, entry, action, place in entries_of(loaded):
        if entry.ledger not in known:
            continue
        if entry.release:
            yield from _release(loaded, entry, action, place)
            continue
        if entry.ledger in MONEY_LEDGERS and entry.value is None and entry.spread is None and entry.cost == "method":
            yield complaint(loaded, place, "definition.value_missing", ledger=entry.ledger)
        if entry.ledger in COUNTED_LEDGERS and entry.quantity is None and entry.cost != "share":
            yield complaint(loaded, place, "definition.quantity_missing", ledger=entry.ledger)
        if action == "submit" and entry.ledger != "reservation":
            yield complaint(loaded, place / "ledger", "definition.only_reserved_on_submit", ledger=entry.ledger)
        if entry.limit is not None and entry.ledger != "reservation":
            yield complaint(loaded, place / "limit", "definition.limit_elsewhere", key=True)
        form = loaded.forms.get(posting.form)
        if entry.consumes is not None and form is not None and not (form.sources and entry.each):
            yield complaint(loaded, place / "consumes", "definition.consumes_nothing", key=True)


def _ledgers(loaded: Loaded) -> Mapping[str, tuple[str, ...]]:
    own = loaded.app.ledgers if loaded.app is not None else ()
    return {**LEDGER_DIMENSIONS, **{each.ledger: tuple(each.dimensions) for each in own}}


def ledger_names(loaded: Loaded) -> tuple[str, ...]:
    """Every ledger there is, the one only the product writes included."""
    return (*_ledgers(loaded), "variance")


def moves_of(loaded: Loaded) -> tuple[str, ...]:
    """Every kind of movement that postings write, their taking back, and the giving back of what they hold."""
    moves = sorted({entry.move for _, entry, _, _ in entries_of(loaded)})
    return (*moves, *(f"{move}{ending}" for ending in ("_cancel", "_release") for move in moves))


def own_ledgers_are_new(loaded: Loaded) -> Iterator[Problem]:
    """A ledger of the app's own has a name of its own, and grains by dimensions it has."""
    seen = set(LEDGER_DIMENSIONS) | {"variance"}
    for index, own in enumerate(loaded.app.ledgers if loaded.app is not None else ()):
        place = Place(APP, loaded.app.app if loaded.app is not None else "", ("ledgers", index))
        if own.ledger in seen:
            yield complaint(loaded, place / "ledger", "definition.second_ledger", name=own.ledger)
        elif own.ledger in PAGES:
            yield complaint(loaded, place / "ledger", "definition.page_name", name=own.ledger)
        seen.add(own.ledger)
        yield from unknown_form(loaded, place / "subject", own.subject)
        for number, grain in enumerate(own.grains):
            for name in grain.dimensions:
                at = place / "grains" / number / "dimensions"
                yield from unknown(loaded, at, "definition.grain_dimension", name, own.dimensions)


def _release(loaded: Loaded, entry: EntryDef, action: str, place: Place) -> Iterator[Problem]:
    if action != "close":
        yield complaint(loaded, place / "release", "definition.release_outside_close", key=True)
    if entry.ledger not in OPEN_LEDGERS:
        yield complaint(loaded, place / "release", "definition.release_ledger", key=True, ledger=entry.ledger)
    for name in ("quantity", "value", "consumes", "limit"):
        if getattr(entry, name) is not None:
            yield complaint(loaded, place / name, "definition.release_and_more", key=True, name=name)


def entries_of(loaded: Loaded) -> Iterator[tuple[PostingDef, EntryDef, str, Place]]:
    """Every entry with its posting, the action that writes it, and its place."""
    for key, posting in loaded.postings.items():
        for action, entries in (("submit", posting.submit), ("approve", posting.approve), ("close", posting.close)):
            for index, entry in enumerate(entries):
                yield posting, entry, action, Place(POSTINGS, key, (action, index))
