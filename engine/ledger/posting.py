"""From a document and its posting definitions to entry requests: what the document asks of the ledgers, in figures.

Pure evaluation, no balances: which balances must be read and locked follows from the requests (``decide.py`` decides
over them). Entry order is line by line, then in the order the author wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from engine.definitions.compiled import CompiledEntry, CompiledPosting
from engine.definitions.posting import STATUSES, EntryDef
from engine.document import Document, Line
from engine.expressions import Checked, Clock, EvaluationFailed, evaluate
from engine.expressions.types import Row
from engine.goods import kept_status, serials_in
from engine.labels import Label
from engine.ledger.declared import PARTNERS, Ledger
from engine.ledger.entry import Entry
from engine.ledger.facts import live
from engine.problems import Problem, distinct, problem, suggestion
from engine.shares import spread
from engine.values import LARGEST, MONEY_SCALE, QUANTITY_SCALE, ZERO, rounded

DIMENSION_LABELS: Mapping[str, Label] = MappingProxyType(
    {
        "product": Label("商品", "product"),
        "warehouse": Label("仓库", "warehouse"),
        "supplier": Label("供应商", "supplier"),
        "customer": Label("客户", "customer"),
        "bin": Label("库位", "bin"),
        "lot": Label("批号", "lot"),
        "serial": Label("序列号", "serial number"),
        "status": Label("库存状态", "stock status"),
        "owner": Label("货主", "owner"),
        "subject": Label("核算对象", "subject"),
        "element": Label("费用项目", "element"),
    }
)
TEXTS = frozenset({"lot", "serial", "status", "element"})
LONGEST_TEXT = 100
MOST_QUANTITY, MOST_MONEY = LARGEST[QUANTITY_SCALE], LARGEST[MONEY_SCALE]
ONE = Decimal(1)
NOTHING: tuple[tuple[()], tuple[()]] = ((), ())


class Request(NamedTuple):
    """One entry a document asks for. A line makes several, hence a plain tuple.

    Attributes:
        where: address for problems (``lines.3``). line: the document line, None for the document as a whole.
        quantity, value: as evaluated, signed; ``value`` None: to be found by the costing method.
        weight: with ``cost: rest``, this line's weight. made, expires: dates of the lot that comes in.
        reference: the document whose open amount is meant, ``(form, id)``.
        lot_reason: why its picks depart from the rule for lots.
        back: the entry of the original of which a part is given back (red flush): to the open quantity it was taken
            from, or to the open amount it settled or made.
    """

    definition: EntryDef
    where: str
    line: Line | None
    product: int = 0
    warehouse: int = 0
    bin: int = 0
    lot: str = ""
    serial: str = ""
    status: str = ""
    owner: int = 0
    partner: int = 0
    subject: int = 0
    element: str = ""
    quantity: Decimal = ZERO
    value: Decimal | None = None
    aux: Decimal = ZERO
    weight: Decimal = ZERO
    due: date | None = None
    made: date | None = None
    expires: date | None = None
    reference: tuple[str, int] = ("", 0)
    lot_reason: str = ""
    back: Entry | None = None

    def entry(self, document: Document, action: str, batch: int, biz_date: date) -> Entry:
        """The entry asked for, with its value as far as it is stated and no origin yet."""
        line = self.line
        return Entry(
            self.definition.ledger, self.definition.move, document.form, document.id or 0, biz_date,
            product=self.product, warehouse=self.warehouse, bin=self.bin, lot=self.lot, serial=self.serial,
            status=self.status, owner=self.owner, partner=self.partner, subject=self.subject, element=self.element,
            ref_form=self.reference[0], ref_document=self.reference[1], quantity=self.quantity,
            value=self.value or ZERO, aux=self.aux, due=self.due, line=line.id if line and line.id else 0,
            action=action, batch=batch, snapshot=document.snapshot,
        )  # fmt: skip


Asked: TypeAlias = tuple[Request, Entry]


def asked(
    wanted: Iterable[Request], document: Document, action: str, own: Iterable[Entry], biz_date: date
) -> tuple[Asked, ...]:
    """Each request with the entry it asks for. ``own``: what the document has written so far."""
    batch = next_batch(own)
    return tuple((one, one.entry(document, action, batch, biz_date)) for one in wanted)


def next_batch(own: Iterable[Entry]) -> int:
    """The number of a document's next posting."""
    return max((entry.batch for entry in own), default=0) + 1


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
        compiled = [entry for entry in posting.entries.get(action, ()) if not entry.definition.release]
        for table in dict.fromkeys(entry.definition.each for entry in compiled):
            entries = [entry for entry in compiled if entry.definition.each == table]
            rows = tuple(_rows(document, table, names, line_names))
            shares = {}
            for entry in entries:
                if entry.total is not None:
                    shares[id(entry)] = _spread(entry, rows, names, clock, places, problems)
            for index, (line, scope) in enumerate(rows):
                where = f"{table}.{line.number}" if line else ""
                for entry in entries:
                    share = shares[id(entry)][index] if id(entry) in shares else None
                    wanted, wrong = _request(entry, where, line, document, scope, declared, clock, places, share)
                    made += wanted
                    problems += wrong
    return tuple(made), distinct(problems)


def releases(postings: Sequence[CompiledPosting], action: str) -> frozenset[str]:
    """Ledgers in which ``action`` gives back what the document's own lines still hold."""
    return frozenset(
        entry.definition.ledger
        for posting in postings
        for entry in posting.entries.get(action, ())
        if entry.definition.release
    )


def origin_of(request: Request, sources: Mapping[tuple[str, int], Sequence[Entry]]) -> Entry | None:
    """The stock entry of the source line that a return gives back, or a landed cost concerns."""
    source = request.line.source if request.line else None
    if source is None or request.definition.cost not in ("source", "share"):
        return None
    inwards = request.definition.cost == "share" or request.quantity < ZERO
    return goods_of(request, sources.get((source.form, source.line), ()), inwards)


def goods_of(request: Request, entries: Sequence[Entry], inwards: bool) -> Entry | None:
    """The first of the live entries that moved the goods ``request`` names into stock, or out of it: of the same lot
    and serial number if there is one, and of the same move (a red line takes back its own)."""
    found = [
        one
        for one in live(entries)
        if one.ledger == "stock"
        and one.product == request.product
        and one.quantity
        and (one.quantity > ZERO) is inwards
    ]
    same = [one for one in found if (one.lot, one.serial) == (request.lot, request.serial)]
    found = same or found
    return next((one for one in found if one.move == request.definition.move), found[0] if found else None)


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


def _spread(
    entry: CompiledEntry,
    rows: Sequence[tuple[Line | None, Mapping[str, object]]],
    names: Mapping[str, object],
    clock: Clock,
    places: int,
    problems: list[Problem],
) -> Sequence[Decimal]:
    """The part of a total each line gets; lines the entry is not made for weigh nothing. The quantities of a red
    document are all negative, and weigh what those of its original did."""
    none = [ZERO] * len(rows)
    try:
        total = _figure(entry.total, names, clock) or ZERO
        weights = [
            (_figure(entry.by, scope, clock) or ZERO)
            if entry.when is None or evaluate(entry.when, scope, clock) is True
            else ZERO
            for _, scope in rows
        ]
    except EvaluationFailed as failed:
        problems.append(failed.problem)
        return none
    if not total:
        return none
    if max(weights, default=ZERO) <= ZERO:
        weights = [-weight for weight in weights]
    if sum(weights, ZERO) <= ZERO or min(weights) < ZERO:
        problems.append(problem("ledger.nothing_to_spread_on", entry.definition.each, amount=total))
        return none
    return spread(rounded(total, places), weights, places)


def _request(
    entry: CompiledEntry,
    where: str,
    line: Line | None,
    document: Document,
    names: Mapping[str, object],
    declared: Mapping[str, Ledger],
    clock: Clock,
    places: int,
    share: Decimal | None,
) -> tuple[Sequence[Request], Sequence[Problem]]:
    """What one entry definition asks for one line, or why it cannot."""
    definition = entry.definition
    try:
        if entry.when is not None and evaluate(entry.when, names, clock) is not True:
            return NOTHING
        stated = _figure(entry.quantity, names, clock) or ZERO
        value = _figure(entry.value, names, clock) if share is None else share
        aux = _figure(entry.aux, names, clock)
        weight = _figure(entry.weight, names, clock)
        dimensions = {}
        for name, each in entry.dimensions.items():
            dimensions[name] = _dimension(name, evaluate(each, names, clock))
        due = _day(entry.due, names, clock)
        begun = _day(entry.made, names, clock)
        expires = _day(entry.expires, names, clock)
        reference = _reference(entry, document, names, clock)
        reason = str(evaluate(entry.lot_reason, names, clock) or "") if entry.lot_reason is not None else ""
    except EvaluationFailed as failed:
        return (), (failed.problem.at(where) if where else failed.problem,)
    missing = [name for name in declared[definition.ledger].dimensions if not dimensions.get(name)]
    if missing:
        return (), [problem("ledger.dimension_missing", where, dimension=DIMENSION_LABELS[name]) for name in missing]
    quantity = rounded(stated, QUANTITY_SCALE)
    amount = None if value is None else rounded(value, places)
    if quantity.copy_abs() > MOST_QUANTITY or (amount is not None and amount.copy_abs() > MOST_MONEY):
        return (), (problem("ledger.out_of_range", where, quantity=stated, value=amount or ZERO),)
    second = rounded(aux, QUANTITY_SCALE) if aux else ZERO
    if second.copy_abs() > MOST_QUANTITY:
        return (), (problem("ledger.out_of_range", where, quantity=aux or ZERO, value=amount or ZERO),)
    wrong = _wrong_words(dimensions, where)
    if wrong:
        return (), wrong
    if begun is not None and expires is not None and expires < begun:
        return (), (problem("ledger.expires_before_made", where, made=begun, expires=expires),)
    # A share that names a subject is worth what was taken from the subject, which is not known yet.
    shares = definition.cost == "share" and not dimensions.get("subject")
    if shares and (line is None or line.source is None):
        return (), ((problem("ledger.share_of_nothing", where, amount=amount or ZERO),) if amount else ())
    idle = not stated and not amount and (amount is None or not aux)
    if idle and (shares or definition.cost in ("method", "source")):
        return NOTHING
    if "status" in dimensions:
        dimensions["status"] = kept_status(str(dimensions["status"]))
    for name in PARTNERS:
        if name in dimensions:
            dimensions.setdefault("partner", dimensions.pop(name))
    made = Request(
        definition=definition, where=where, line=line, quantity=quantity, value=amount,
        aux=second, weight=ONE if weight is None else rounded(weight, MONEY_SCALE),
        due=due, made=begun, expires=expires, lot_reason=reason, reference=reference,
        **dimensions,  # type: ignore[arg-type]
    )  # fmt: skip
    return _serials(made, places) if made.serial else ((made,), ())


def _wrong_words(dimensions: Mapping[str, int | str], where: str) -> Sequence[Problem]:
    """Texts no balance is kept by: too long, with characters nobody sees, or a status the product does not know."""
    found: list[Problem] = []
    for name, text in dimensions.items():
        if not text or not isinstance(text, str):
            continue
        longest = max(map(len, serials_in(text)), default=0) if name == "serial" else len(text)
        label = DIMENSION_LABELS[name]
        if longest > LONGEST_TEXT:
            found.append(problem("ledger.text_too_long", where, dimension=label, length=longest, most=LONGEST_TEXT))
        elif name != "serial" and not text.isprintable():
            found.append(problem("ledger.text_unprintable", where, dimension=label))
        elif name == "status" and text not in STATUSES:
            statuses = "、".join(STATUSES)
            nearest = suggestion(text, STATUSES)
            found.append(problem("ledger.status_unknown", where, status=text, statuses=statuses, **nearest))
    return found


def _serials(request: Request, places: int) -> tuple[Sequence[Request], Sequence[Problem]]:
    """One request per serial number: each is one unit, and the amount and the second quantity are split over them
    without losing anything."""
    numbers = serials_in(request.serial)
    if len(set(numbers)) != len(numbers):
        twice = next(number for number in numbers if numbers.count(number) > 1)
        return (), (problem("ledger.serial_repeated", request.where, serial=twice),)
    if len(numbers) != abs(request.quantity):
        wrong = problem("ledger.serial_count", request.where, serials=len(numbers), quantity=abs(request.quantity))
        return (), (wrong,)
    sign = Decimal(1) if request.quantity > ZERO else Decimal(-1)
    values = (
        (None,) * len(numbers) if request.value is None else spread(request.value, [Decimal(1)] * len(numbers), places)
    )
    auxes: Sequence[Decimal] = (ZERO,) * len(numbers)
    if request.aux:
        auxes = spread(request.aux, [Decimal(1)] * len(numbers), QUANTITY_SCALE)
    made = zip(numbers, values, auxes, strict=True)
    return [request._replace(serial=number, quantity=sign, value=value, aux=aux) for number, value, aux in made], ()


def _figure(checked: Checked | None, names: Mapping[str, object], clock: Clock) -> Decimal | None:
    if checked is None:
        return None
    value = evaluate(checked, names, clock)
    return value if isinstance(value, Decimal) else ZERO


def _day(checked: Checked | None, names: Mapping[str, object], clock: Clock) -> date | None:
    value = evaluate(checked, names, clock) if checked is not None else None
    return value if isinstance(value, date) else None


def _reference(entry: CompiledEntry, document: Document, names: Mapping[str, object], clock: Clock) -> tuple[str, int]:
    if entry.definition.refer is None:
        return ("", 0)
    if entry.refer is None:
        return (document.form, document.id or 0)
    form, _, number = str(evaluate(entry.refer, names, clock) or "").partition("/")
    return (form, int(number)) if number.isdecimal() else ("", 0)


def _dimension(name: str, value: object) -> int | str:
    if name in TEXTS:
        return value.strip() if isinstance(value, str) else ""
    if isinstance(value, Row):
        return value.id or 0
    # ``id``: the document itself, as the subject of what it takes apart or puts together.
    return int(value) if isinstance(value, int | Decimal) else 0
