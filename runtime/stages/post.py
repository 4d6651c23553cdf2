"""Stage 5, post: lock balance keys once, in sorted order; decide; append entries; save balances.

Which keys are needed follows from the evaluated requests; source entries are read before (they never change), balances
only under lock. Approve writes the posting's entries, unapprove and reopen mirror, close releases.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from engine.costing import method
from engine.environment import biz_date_of
from engine.ledger import (
    BalanceKey,
    Entry,
    Facts,
    Ledger,
    LotDates,
    Policy,
    Request,
    available_keys,
    held_lines,
    keys_of,
    line_key,
    live,
    mirror,
    origin_of,
    post,
    releases,
    requests,
)
from engine.ledger import Posted as Decided
from engine.problems import Refused
from runtime.declared import declared_ledgers
from runtime.stages.calendar import check_days
from runtime.stages.course import Course, Plotter
from runtime.stages.steps import Advanced, Posted, Unit
from runtime.storage import documents, layers
from runtime.storage import ledgers as ledger_rows
from runtime.storage.locks import lock_balances, save_balances

REVERSES: Mapping[str, str] = MappingProxyType({"unapprove": "approve", "reopen": "close"})


def post_entries(unit: Unit, advanced: Advanced) -> Posted:
    """Run the stage.

    Raises:
        Refused: ``invalid`` with every shortage or missing dimension; nothing of the transaction stays.
    """
    form = advanced.document.form
    postings = unit.bundle.postings.get(form, ())
    if not advanced.posts or not postings:
        return Posted(advanced=advanced, entries=())
    declared = declared_ledgers(unit.bundle)
    decided = _mirrored(unit, advanced, declared) if advanced.posts in REVERSES else _posted(unit, advanced, declared)
    if decided.problems:
        raise Refused(decided.problems)
    entries, balances = ledger_rows.append_entries(
        unit.connection, decided.entries, unit.now, unit.around.actor.user, decided.balances, declared
    )
    save_balances(unit.connection, balances)
    layers.save_layering(unit.connection, decided.layering, [one.id or 0 for one in entries])
    layers.save_lots(unit.connection, decided.lots)
    return Posted(advanced=advanced, entries=entries)


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
    day = biz_date_of(document, unit.around.clock)
    fresh = [
        replace(one.entry(document, advanced.posts, 0, day), basis="method" if one.value is None else "given")
        for one in wanted
    ]
    check_days(unit, fresh, [one.definition.while_frozen for one in wanted], [one.where for one in wanted])
    releasing = releases(postings, advanced.posts)
    again = document.approved_at is not None and advanced.written.authorized.validated.begun.old is not None
    own = ledger_rows.entries_of(unit.connection, document.form, document.id or 0) if again else ()
    sources = _source_entries(unit, wanted)
    keys = {
        key for request, entry in zip(wanted, fresh, strict=True) for key in _keys(request, entry, declared, sources)
    }
    held = held_lines(own, releasing)
    keys.update(key for key, _ in held)
    keys.update(key for _, entry in held for key in keys_of(declared[entry.ledger], entry))
    origins = {one.id or 0: one for one in (origin_of(each, sources) for each in wanted) if one is not None}
    costing = method(settings.cost_method)
    plotter = Plotter(
        connection=unit.connection, declared=declared, method=costing, fresh=fresh, reversing=(), origins=origins
    )
    course = plotter.course(lock_balances(unit.connection, keys))
    lots = layers.lot_dates(unit.connection, [(one.product, one.lot) for one in wanted if one.lot])
    return post(
        document,
        wanted,
        releasing,
        own,
        advanced.posts,
        day,
        declared,
        _facts(unit, course, sources, lots),
        costing,
        _policy(unit),
    )


def _mirrored(unit: Unit, advanced: Advanced, declared: Mapping[str, Ledger]) -> Decided:
    document = advanced.document
    own = ledger_rows.entries_of(unit.connection, document.form, document.id or 0)
    reversed_action = REVERSES[advanced.posts]
    touched = [entry for entry in live(own) if entry.action == reversed_action]
    check_days(unit, touched, [False] * len(touched), [""] * len(touched))
    keys = {key for entry in touched for key in keys_of(declared[entry.ledger], entry)}
    for entry in touched:
        cancelled = Entry(
            ledger=entry.ledger, product=entry.product, warehouse=entry.warehouse, move=f"{entry.move}_cancel",
            form=entry.form, document=entry.document, biz_date=entry.biz_date,
        )  # fmt: skip
        if entry.ledger == "stock":
            keys.add(
                BalanceKey(
                    "stock",
                    "month",
                    product=entry.product,
                    warehouse=entry.warehouse,
                    move=cancelled.move,
                    month=cancelled.month,
                )
            )
            keys.update(available_keys(entry.product, entry.warehouse))
            keys.add(BalanceKey("variance", "product", product=entry.product))
    costing = method(unit.bundle.app.settings.cost_method)
    plotter = Plotter(
        connection=unit.connection, declared=declared, method=costing, fresh=(), reversing=touched, origins={}
    )
    course = plotter.course(lock_balances(unit.connection, keys))
    return mirror(
        document,
        reversed_action,
        own,
        advanced.posts,
        biz_date_of(document, unit.around.clock),
        declared,
        _facts(unit, course, {}, {}),
        costing,
        _policy(unit),
    )


def _keys(
    request: Request, entry: Entry, declared: Mapping[str, Ledger], sources: Mapping[tuple[str, int], Sequence[Entry]]
) -> Iterator[BalanceKey]:
    """Balances that deciding about a request reads or changes."""
    ledger = declared[entry.ledger]
    if ledger.key == "stock" or request.definition.limit == "available":
        yield from available_keys(entry.product, entry.warehouse)
    if ledger.valued:
        yield BalanceKey("variance", "product", product=entry.product)
    if not ledger.per_line:
        yield from keys_of(ledger, entry)
        return
    line = request.line
    if not request.definition.consumes:
        yield from (
            key
            if key.grain != "line"
            else key._replace(ref_form=entry.form, ref_line=line.id if line and line.id else 0)
            for key in keys_of(ledger, entry)
        )
    elif line is not None and line.source is not None:
        for source in live(sources.get((line.source.form, line.source.line), ())):
            if source.ledger == ledger.key:
                yield line_key(source)
                yield from keys_of(ledger, source)


def _policy(unit: Unit) -> Policy:
    settings = unit.bundle.app.settings
    return Policy(
        places=settings.money_decimals,
        negative_stock=settings.negative_stock,
        partial_reservation=settings.partial_reservation,
    )


def _source_entries(unit: Unit, wanted: Sequence[Request]) -> Mapping[tuple[str, int], Sequence[Entry]]:
    lines: dict[str, set[int]] = {}
    for request in wanted:
        definition, line = request.definition, request.line
        if (
            line is not None
            and line.source is not None
            and (definition.consumes or definition.cost in ("source", "share"))
        ):
            lines.setdefault(line.source.form, set()).add(line.source.line)
    found: dict[tuple[str, int], list[Entry]] = {}
    for form in sorted(lines):
        for entry in ledger_rows.entries_of_lines(unit.connection, form, lines[form]):
            found.setdefault((form, entry.line), []).append(entry)
    return found


def _facts(
    unit: Unit,
    course: Course,
    sources: Mapping[tuple[str, int], Sequence[Entry]],
    lots: Mapping[tuple[int, str], LotDates],
) -> Facts:
    return Facts(
        balances=course.balances,
        sources=sources,
        start=course.start,
        later=course.later,
        lots=lots,
        product_names=_Names(unit, unit.bundle.app.dimensions.product or ""),
        warehouse_names=_Names(unit, unit.bundle.app.dimensions.warehouse or ""),
        numbers=_Numbers(unit),
    )


class _Names(Mapping[int, str]):
    """Display names looked up only when a sentence needs one: a shortage is the exception."""

    def __init__(self, unit: Unit, form: str) -> None:
        self._unit, self._form = unit, form

    def __getitem__(self, identity: int) -> str:
        names = documents.display_names(
            self._unit.connection, self._unit.tables, self._form, [identity], self._unit.around.actor.language
        )
        return names[identity]

    def __iter__(self) -> Iterator[int]:
        return iter(())

    def __len__(self) -> int:
        return 0


class _Numbers(Mapping[tuple[str, int], str]):
    """Document numbers, looked up likewise."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def __getitem__(self, place: tuple[str, int]) -> str:
        form, identity = place
        found = documents.load_many(self._unit.connection, self._unit.tables, form, [identity])
        return found[identity].number or ""

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return iter(())

    def __len__(self) -> int:
        return 0
