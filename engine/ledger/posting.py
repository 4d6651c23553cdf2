"""From a document and its posting definitions to entry requests: what the document asks of the ledgers, in figures.

Pure evaluation, no balances: which balances must be read and locked follows from the requests (``value.py`` decides
over them). Entry order is line by line, then in the order the author wrote.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from engine.definitions.compiled import CompiledEntry, CompiledPosting
from engine.definitions.posting import EntryDef
from engine.document import Document, Line
from engine.expressions import Checked, Clock, EvaluationFailed, evaluate
from engine.expressions.types import Row
from engine.labels import Label
from engine.ledger.balance import BalanceKey
from engine.ledger.declared import Ledger
from engine.ledger.entry import Entry
from engine.problems import Problem, problem
from engine.values import MONEY_SCALE, QUANTITY_SCALE, ZERO, fits, rounded

PARTNERS = ("supplier", "customer")
DIMENSION_LABELS: Mapping[str, Label] = MappingProxyType(
    {
        "product": Label("商品", "product"),
        "warehouse": Label("仓库", "warehouse"),
        "supplier": Label("供应商", "supplier"),
        "customer": Label("客户", "customer"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One entry a document asks for.

    Attributes:
        where: address for problems (``lines.3``). line: the document line, None for the document as a whole.
        quantity, value: as evaluated, signed; ``value`` None: to be found by the costing method.
    """

    definition: EntryDef
    where: str
    line: Line | None
    product: int = 0
    warehouse: int = 0
    partner: int = 0
    quantity: Decimal = ZERO
    value: Decimal | None = None


def requests(
    postings: Sequence[CompiledPosting],
    action: str,
    document: Document,
    names: Mapping[str, object],
    line_names: Mapping[str, Sequence[Mapping[str, object]]],
    declared: Mapping[str, Ledger],
    clock: Clock,
    places: int,
) -> tuple[tuple[Request, ...], tuple[Problem, ...]]:
    """Evaluate the entries ``action`` writes.

    Args:
        names: names of the header; line_names: per line table, names per line in line order.
        places: decimals of money.

    Returns:
        The requests and every problem met: a missing dimension, a failed expression, a figure out of range.
    """
    made: list[Request] = []
    problems: list[Problem] = []
    for posting in postings:
        compiled = posting.entries.get(action, ())
        tables = tuple(dict.fromkeys(entry.definition.each for entry in compiled))
        for table in tables:
            entries = tuple(
                entry for entry in compiled if entry.definition.each == table and not entry.definition.release
            )
            for line, scope in _rows(document, table, names, line_names):
                where = f"{table}.{line.number}" if line else ""
                for entry in entries:
                    outcome = _request(entry, where, line, scope, declared, clock, places)
                    made.extend(one for one in outcome if isinstance(one, Request))
                    problems.extend(one for one in outcome if isinstance(one, Problem))
    return tuple(made), tuple(problems)


def releases(postings: Sequence[CompiledPosting], action: str) -> frozenset[str]:
    """Ledgers in which ``action`` gives back what the document's own lines still hold."""
    return frozenset(
        entry.definition.ledger
        for posting in postings
        for entry in posting.entries.get(action, ())
        if entry.definition.release
    )


def live(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Entries that are neither reversed nor reversals."""
    reversed_ids = {entry.mirror_of for entry in entries if entry.mirror_of is not None}
    return tuple(entry for entry in entries if entry.mirror_of is None and entry.id not in reversed_ids)


def _rows(
    document: Document,
    table: str,
    names: Mapping[str, object],
    line_names: Mapping[str, Sequence[Mapping[str, object]]],
) -> Iterator[tuple[Line | None, Mapping[str, object]]]:
    if not table:
        yield None, names
        return
    yield from zip(document.lines.get(table, ()), line_names.get(table, ()), strict=True)


def _request(
    entry: CompiledEntry,
    where: str,
    line: Line | None,
    names: Mapping[str, object],
    declared: Mapping[str, Ledger],
    clock: Clock,
    places: int,
) -> tuple[Request | Problem, ...]:
    definition = entry.definition
    try:
        if entry.when is not None and evaluate(entry.when, names, clock) is not True:
            return ()
        quantity = _figure(entry.quantity, names, clock)
        value = _figure(entry.value, names, clock)
        dimensions = {name: _id(evaluate(checked, names, clock)) for name, checked in entry.dimensions.items()}
    except EvaluationFailed as failed:
        return (failed.problem.at(where) if where else failed.problem,)
    missing = tuple(
        problem("ledger.dimension_missing", where, dimension=DIMENSION_LABELS[name])
        for name in declared[definition.ledger].dimensions
        if not dimensions.get(name)
    )
    if missing:
        return missing
    amount = None if value is None else rounded(value, places)
    if not fits(rounded(quantity or ZERO, QUANTITY_SCALE), QUANTITY_SCALE) or not fits(amount or ZERO, MONEY_SCALE):
        return (problem("ledger.out_of_range", where),)
    if not quantity and not amount:
        return ()
    return (
        Request(
            definition=definition,
            where=where,
            line=line,
            product=dimensions.get("product", 0),
            warehouse=dimensions.get("warehouse", 0),
            partner=next((dimensions[name] for name in PARTNERS if name in dimensions), 0),
            quantity=rounded(quantity or ZERO, QUANTITY_SCALE),
            value=amount,
        ),
    )


def _figure(checked: Checked | None, names: Mapping[str, object], clock: Clock) -> Decimal | None:
    if checked is None:
        return None
    value = evaluate(checked, names, clock)
    return value if isinstance(value, Decimal) else ZERO


def _id(value: object) -> int:
    if isinstance(value, Row):
        return value.id or 0
    return value if isinstance(value, int) else 0


def request_keys(
    request: Request, ledger: Ledger, sources: Mapping[tuple[str, int], Sequence[Entry]]
) -> frozenset[BalanceKey]:
    """Balances that deciding about ``request`` reads or changes, ``sources`` being the entries of the source lines."""
    own = {
        BalanceKey(ledger.key, grain, **{name: getattr(request, name) for name in names})
        for grain, names in ledger.grains.items()
        if "ref_form" not in names
    }
    if ledger.key == "stock" or request.definition.limit == "available":
        own |= {
            BalanceKey(key, "place", product=request.product, warehouse=request.warehouse)
            for key in ("stock", "reservation")
        }
    if ledger.per_line and request.definition.consumes and request.line and request.line.source:
        source = request.line.source
        for entry in sources.get((source.form, source.line), ()):
            if entry.ledger == ledger.key:
                own.add(BalanceKey(ledger.key, "place", product=entry.product, warehouse=entry.warehouse))
                own.add(
                    BalanceKey(
                        ledger.key,
                        "line",
                        product=entry.product,
                        warehouse=entry.warehouse,
                        ref_form=entry.ref_form,
                        ref_line=entry.ref_line,
                    )
                )
    return frozenset(own)
