"""账簿余额: what the balances of any ledger hold, by the dimensions of its first grain, and the entries behind one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from engine.fieldtypes.choice import ChoiceOptions
from engine.ledger import Ledger
from engine.problems import Refused, problem, suggestion
from engine.values import ZERO
from runtime.declared import declared_ledgers
from runtime.facade.base_units import counted
from runtime.facade.cells import Names
from runtime.facade.door import Door
from runtime.facade.ledger_rights import MEASURE_OF, first_grain, ledgers_seen, record_forms, values_seen
from runtime.facade.lists import row_condition
from runtime.facade.lots import status_text
from runtime.facade.stock import EntryView, entry_views
from runtime.facade.stock_rights import allowed
from runtime.stages.steps import Unit
from runtime.storage import balances as rows
from runtime.storage.balances import Kept
from runtime.storage.places import Clause

OWN_PAGES = ("stock", "supply", "reservation")  # ledgers the pages of stock show anyway
NOTHING: Mapping[str, int | str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerChoice:
    """A ledger the person may choose."""

    key: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionView:
    """A dimension of the balances, as people call it: by the form of its records where there is one."""

    key: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartView:
    """What a balance has in one dimension: a record's id or a text. Empty where the entries left it open."""

    dimension: str
    value: int | str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceView:
    """A balance. ``key`` is its address; ``quantity`` is in base units, None where the ledger keeps no quantities;
    ``value`` None where it keeps none or the person may not see it; ``entries`` says how many add up to it; ``second``
    is the second quantity of catch weight goods, with its unit."""

    key: str
    parts: tuple[PartView, ...]
    quantity: Decimal | None
    unit: str
    value: Decimal | None
    last_day: date | None
    entries: int
    second: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancesView:
    """A page of the balances of one ledger.

    Attributes:
        ledgers: those the person may choose from.
        total: the values of all balances asked for, on this page or not; None without values.
        next: key of the last balance shown when there are more.
    """

    ledger: str
    label: str
    ledgers: tuple[LedgerChoice, ...]
    dimensions: tuple[DimensionView, ...]
    rows: tuple[BalanceView, ...]
    total: Decimal | None
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntriesView:
    """The entries behind one balance, newest first; ``next`` is the id of the last one shown when there are more."""

    ledger: str
    label: str
    dimensions: tuple[DimensionView, ...]
    balance: BalanceView
    rows: tuple[EntryView, ...]
    next: int | None


def balances(
    door: Door,
    ledger: str = "",
    only: Mapping[str, int | str] = NOTHING,
    search: str = "",
    nonzero: bool = True,
    after: str = "",
    limit: int = 50,
) -> BalancesView:
    """A page of the balances of ``ledger``; without one, of the first that has no page of its own.

    Args:
        only: record id or text by dimension.
        search: words about the records and texts.
        after: the ``next`` of the page before.

    Raises:
        Refused: ``missing`` for an unknown ledger or ``after``, ``forbidden`` for one that is not the person's to see,
            ``invalid`` for a dimension the ledger does not have.
    """
    seen = ledgers_seen(door)
    chosen = _chosen(door, seen, ledger)
    grain = first_grain(chosen)
    strange = [name for name in only if name not in grain.dimensions]
    if strange:
        known = ", ".join(grain.dimensions)
        named = chosen.label
        raise Refused([problem("ledger.no_dimension", one, name=one, ledger=named, known=known) for one in strange])
    with door.reading() as unit:
        conditions = _visible(door, unit, chosen)
        for name, value in only.items():
            conditions.append(rows.exactly(name, _plain(value) if isinstance(value, str) else value))
        if nonzero:
            conditions.append(rows.nonzero())
        if search.split():
            conditions.append(_matching(door, unit, chosen, search))
        before = rows.balance_at(unit.connection, _plain(after), _visible(door, unit, chosen)) if after else None
        if after and before is None:
            raise Refused([problem("ledger.balance_missing")], "missing")
        found = rows.balances_page(unit.connection, grain, conditions, before.key if before else None, limit + 1)
        page = found[:limit]
        views = _views(door, unit, chosen, page)
        total = rows.total_value(unit.connection, conditions) if values_seen(door, chosen.key) else None
    return BalancesView(
        ledger=chosen.key,
        label=chosen.label.text(door.language),
        ledgers=tuple(LedgerChoice(key=key, label=one.label.text(door.language)) for key, one in seen.items()),
        dimensions=_dimensions(door, chosen),
        rows=views,
        total=total,
        next=page[-1].text if len(found) > limit else None,
    )


def entries(door: Door, key: str, after: int | None = None, limit: int = 50) -> EntriesView:
    """The entries behind the balance ``key``, each leading to the document that wrote it.

    Raises:
        Refused: ``missing`` when there is no such balance among those the person may see, ``forbidden`` when its
            ledger is not theirs to see.
    """
    chosen = _chosen(door, ledgers_seen(door), key.partition("|")[0] or "?")
    with door.reading() as unit:
        kept = rows.balance_at(unit.connection, _plain(key), _visible(door, unit, chosen))
        if kept is None:
            raise Refused([problem("ledger.balance_missing")], "missing")
        found = rows.entries_behind(unit.connection, kept.key, first_grain(chosen), after, limit + 1)
        page = found[:limit]
        listed = entry_views(door, unit, page, with_value=values_seen(door, chosen.key))
        (view,) = _views(door, unit, chosen, (kept,))
    return EntriesView(
        ledger=chosen.key,
        label=chosen.label.text(door.language),
        dimensions=_dimensions(door, chosen),
        balance=view,
        rows=listed,
        next=page[-1].id if len(found) > limit else None,
    )


def _chosen(door: Door, seen: Mapping[str, Ledger], ledger: str) -> Ledger:
    if not seen:
        raise Refused([problem("permission.page_denied")], "forbidden")
    if not ledger:
        return next((one for key, one in seen.items() if key not in OWN_PAGES), next(iter(seen.values())))
    declared = declared_ledgers(door.bundle)
    if ledger not in declared:
        raise Refused([problem("ledger.unknown", name=ledger[:80], **suggestion(ledger, seen))], "missing")
    if ledger not in seen:
        raise Refused([problem("permission.ledger_denied", ledger=declared[ledger].label)], "forbidden")
    return seen[ledger]


def _visible(door: Door, unit: Unit, ledger: Ledger) -> list[Clause]:
    """The conditions for the balances of the first grain that are the person's to see."""
    found = rows.of_grain(ledger.key, ledger.chain)
    for name in first_grain(ledger).dimensions:
        forms = record_forms(door, ledger, name)
        if name == "warehouse":
            among = allowed(door, unit, forms[0])
            if among is not None:
                found.append(rows.among(unit.tables, name, [(forms[0], among)]))
        elif name in ("partner", "subject"):
            readable = [door.bundle.forms[form] for form in forms if door.may(door.bundle.forms[form], "read")]
            asked = [(form.key, row_condition(door, unit, form, door.access(form))) for form in readable]
            if len(readable) < len(forms) or any(where is not None for _, where in asked):
                found.append(rows.among(unit.tables, name, asked))
    return found


def _matching(door: Door, unit: Unit, ledger: Ledger, search: str) -> Clause:
    grain = first_grain(ledger)
    forms = [(name, form) for name in grain.dimensions for form in record_forms(door, ledger, name)]
    words = search.lower().split()
    texts = {key for key, text in _element_names(door, ledger).items() if all(word in text.lower() for word in words)}
    return rows.matching(unit.tables, grain, forms, texts, search)


def _views(door: Door, unit: Unit, ledger: Ledger, page: Iterable[Kept]) -> tuple[BalanceView, ...]:
    listed = tuple(page)
    dimensions = first_grain(ledger).dimensions
    forms = {name: record_forms(door, ledger, name) for name in dimensions}
    names = Names(door.language)
    for name in dimensions:
        for form in forms[name]:
            names.want_ids(form, {getattr(one.key, name) for one in listed} - {0})
    names.load(unit)
    elements = _element_names(door, ledger) if "element" in dimensions else {}
    quantities, values = _keeps_quantity(ledger), values_seen(door, ledger.key)
    products = {one.key.product for one in listed} - {0} if quantities else set()
    units = counted(door, unit, products) if products else None
    weighs = ledger.key == "stock"

    def text(name: str, value: int | str) -> str:
        if isinstance(value, str):
            return elements.get(value, value) if name == "element" else _status(door, name, value)
        # Ids are unique over all forms: only one of several knows the record.
        told = [names.name(form, value) for form in forms[name]] if value else []
        return next((one for one in told if one != f"#{value}"), told[0] if told else "")

    return tuple(
        BalanceView(
            key=one.text,
            parts=tuple(
                PartView(dimension=name, value=value, text=text(name, value))
                for name in dimensions
                for value in (getattr(one.key, name),)
            ),
            quantity=one.quantity if quantities else None,
            unit=units.name(one.key.product) if units is not None and one.key.product else "",
            value=one.value if values else None,
            last_day=one.last_day,
            entries=one.entries,
            second=units.second(one.key.product, one.aux or ZERO) if units is not None and weighs else "",
        )
        for one in listed
    )


def _dimensions(door: Door, ledger: Ledger) -> tuple[DimensionView, ...]:
    found = []
    for name in first_grain(ledger).dimensions:
        forms = record_forms(door, ledger, name)
        if len(forms) == 1 and name != "owner":
            label = door.bundle.forms[forms[0]].label.text(door.language)
        else:
            word = "expense" if (ledger.key, name) == ("expense", "element") else name
            label = door.house.catalogue.ui(f"balances.by_{word}", door.language)
        found.append(DimensionView(key=name, label=label))
    return tuple(found)


def _element_names(door: Door, ledger: Ledger) -> Mapping[str, str]:
    """What elements are called: by the choices of the fields the postings of ``ledger`` take them from."""
    found: dict[str, str] = {}
    for form, postings in door.bundle.postings.items():
        for posting in postings:
            for entry in (one for each in posting.entries.values() for one in each):
                if entry.definition.ledger != ledger.key or "element" not in entry.dimensions:
                    continue
                compiled, table = door.bundle.forms[form], entry.definition.each
                fields = compiled.tables[table].fields if table in compiled.tables else compiled.fields
                field = fields.get(str(entry.definition.dimensions["element"]))
                if field is not None and isinstance(field.options, ChoiceOptions):
                    for key, label in field.options.choices.items():
                        found.setdefault(key, label.text(door.language))
    return found


def _keeps_quantity(ledger: Ledger) -> bool:
    """Whether the ledger counts goods: those of stock do, an app's own may."""
    return ledger.key in MEASURE_OF or ledger.chain == "all"


def _status(door: Door, name: str, text: str) -> str:
    return status_text(text, door.language) if name == "status" and text else text


def _plain(text: str) -> str:
    """Without the one character no database keeps."""
    return text.replace("\x00", "")
