"""Stage 5, post: lock balance keys once, in sorted order; decide; append entries; save balances.

Which keys are needed follows from the evaluated requests; source entries are read before (they never change), balances
only under lock. Approve writes the posting's entries, unapprove and reopen mirror, close releases.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

from engine.costing import MovingAverage
from engine.environment import biz_date_of
from engine.ledger import (
    BalanceKey,
    Entry,
    Facts,
    Ledger,
    Policy,
    Request,
    held_lines,
    keys_of,
    ledgers,
    live,
    mirror,
    post,
    releases,
    request_keys,
    requests,
)
from engine.ledger import Posted as Decided
from engine.problems import Refused
from runtime.stages.steps import Advanced, Posted, Unit
from runtime.storage import documents, stock_figures
from runtime.storage import ledgers as ledger_rows
from runtime.storage.locks import lock_balances, save_balances

REVERSES: Mapping[str, str] = MappingProxyType({"unapprove": "approve", "reopen": "close"})
NO_COSTS: Mapping[int, Decimal] = MappingProxyType({})


def post_entries(unit: Unit, advanced: Advanced) -> Posted:
    """Run the stage.

    Raises:
        Refused: ``invalid`` with every shortage or missing dimension; nothing of the transaction stays.
    """
    form = advanced.document.form
    postings = unit.bundle.postings.get(form, ())
    if not advanced.posts or not postings:
        return Posted(advanced=advanced, entries=())
    declared = ledgers(unit.bundle.app.settings.cost_scope)
    decided = _mirrored(unit, advanced, declared) if advanced.posts in REVERSES else _posted(unit, advanced, declared)
    if decided.problems:
        raise Refused(decided.problems)
    ledger_rows.append_entries(unit.connection, decided.entries, unit.now, unit.around.actor.user)
    save_balances(unit.connection, decided.balances)
    return Posted(advanced=advanced, entries=decided.entries)


def _posted(unit: Unit, advanced: Advanced, declared: Mapping[str, Ledger]) -> Decided:
    document, names = advanced.document, advanced.written.scene
    postings = unit.bundle.postings[document.form]
    settings = unit.bundle.app.settings
    wanted, problems = requests(
        postings,
        advanced.posts,
        document,
        names.header,
        names.all_lines(),
        declared,
        unit.around.clock,
        settings.money_decimals,
    )
    if problems:
        raise Refused(problems)
    releasing = releases(postings, advanced.posts)
    again = document.approved_at is not None and advanced.written.authorized.validated.begun.old is not None
    own = ledger_rows.entries_of(unit.connection, document.form, document.id or 0) if again else ()
    sources = _source_entries(unit, wanted)
    keys = {key for request in wanted for key in request_keys(request, declared[request.definition.ledger], sources)}
    keys.update(
        BalanceKey("variance", "product", product=request.product)
        for request in wanted
        if request.definition.cost == "source"
    )
    held = held_lines(own, releasing)
    keys.update(key for key, _ in held)
    keys.update(key for _, entry in held for key in keys_of(declared[entry.ledger], entry))
    facts = _facts(unit, keys, sources, [(one.product, one.warehouse) for one in wanted])
    return post(
        document,
        wanted,
        releasing,
        own,
        advanced.posts,
        biz_date_of(document, unit.around.clock),
        declared,
        facts,
        MovingAverage(),
        _policy(unit, declared),
    )


def _mirrored(unit: Unit, advanced: Advanced, declared: Mapping[str, Ledger]) -> Decided:
    document = advanced.document
    own = ledger_rows.entries_of(unit.connection, document.form, document.id or 0)
    reversed_action = REVERSES[advanced.posts]
    touched = [entry for entry in live(own) if entry.action == reversed_action]
    keys = {key for entry in touched for key in keys_of(declared[entry.ledger], entry)}
    for entry in touched:
        if entry.ledger == "stock":
            keys.add(BalanceKey("reservation", "place", product=entry.product, warehouse=entry.warehouse))
            keys.add(BalanceKey("variance", "product", product=entry.product))
    facts = _facts(unit, keys, {}, [(entry.product, entry.warehouse) for entry in touched])
    return mirror(
        document,
        reversed_action,
        own,
        advanced.posts,
        biz_date_of(document, unit.around.clock),
        declared,
        facts,
        _policy(unit, declared),
    )


def _policy(unit: Unit, declared: Mapping[str, Ledger]) -> Policy:
    settings = unit.bundle.app.settings
    return Policy(
        places=settings.money_decimals, negative_stock=settings.negative_stock, pool=declared["stock"].grains["pool"]
    )


def _source_entries(unit: Unit, wanted: Sequence[Request]) -> Mapping[tuple[str, int], Sequence[Entry]]:
    lines: dict[str, set[int]] = {}
    for request in wanted:
        definition, line = request.definition, request.line
        if line is not None and line.source is not None and (definition.consumes or definition.cost == "source"):
            lines.setdefault(line.source.form, set()).add(line.source.line)
    found: dict[tuple[str, int], list[Entry]] = {}
    for form in sorted(lines):
        for entry in ledger_rows.entries_of_lines(unit.connection, form, lines[form]):
            found.setdefault((form, entry.line), []).append(entry)
    return found


def _facts(
    unit: Unit,
    keys: set[BalanceKey],
    sources: Mapping[tuple[str, int], Sequence[Entry]],
    places: Iterable[tuple[int, int]],
) -> Facts:
    products = {product for product, _ in places if product}
    balances = lock_balances(unit.connection, keys)
    empty = {
        key.product
        for key, balance in balances.items()
        if key.ledger == "stock" and key.grain == "pool" and balance.quantity <= 0
    }
    return Facts(
        balances=balances,
        sources=sources,
        last_costs=stock_figures.last_costs(unit.connection, empty & products) if empty & products else NO_COSTS,
        product_names=_Names(unit, "product"),
        warehouse_names=_Names(unit, "warehouse"),
    )


class _Names(Mapping[int, str]):
    """Display names looked up only when a sentence needs one: a shortage is the exception."""

    def __init__(self, unit: Unit, dimension: str) -> None:
        self._unit = unit
        self._form = getattr(unit.bundle.app.dimensions, dimension)

    def __getitem__(self, identity: int) -> str:
        names = documents.display_names(
            self._unit.connection, self._unit.tables, self._form, [identity], self._unit.around.actor.language
        )
        return names[identity]

    def __iter__(self) -> Iterator[int]:
        return iter(())

    def __len__(self) -> int:
        return 0
