"""Red flush (红冲): what a red document asks of the ledgers, at the cost and in the places of what it takes back.

The red document is evaluated like any other, with negative quantities; that says how much. Where the original stated or
found a value, what it took from an order and whose open amount it changed, the red one follows the original's entries
(domain rules B0.4 and C9: allowed though the period is closed, at the original unit cost).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from engine.definitions.compiled import CompiledPosting
from engine.definitions.posting import EntryDef
from engine.document import SourceLine
from engine.ledger.declared import Ledger
from engine.ledger.entry import Entry
from engine.ledger.facts import live
from engine.ledger.posting import Request, goods_of
from engine.values import QUANTITY_SCALE, ZERO, divided, rounded

COUNTING = "freeze"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedLine:
    """The original line a red line takes back: its id, how much of it (base units, positive), and how much it moved."""

    line: int
    quantity: Decimal
    whole: Decimal

    def part(self, figure: Decimal, places: int) -> Decimal:
        """What falls on this red line of a figure of the whole original line."""
        return rounded(divided(figure * self.quantity, self.whole), places) if self.whole else figure


def flushable(postings: Sequence[CompiledPosting], declared: Mapping[str, Ledger]) -> bool:
    """Whether documents with these postings can be taken back in red: they move goods or money, and do not share out
    what is left on a subject (then only un-approving finds the figures again). Orders are closed instead."""
    entries = [one.definition for posting in postings for one in posting.entries.get("approve", ())]
    moving = [one for one in entries if one.ledger != COUNTING and not declared[one.ledger].per_line]
    return bool(moving) and not any(one.cost == "rest" for one in entries)


def moved(entries: Sequence[Entry], line: int) -> Decimal:
    """How much a line moved in stock, base units: what went in or what went out, whichever is more."""
    found = [one.quantity for one in live(entries) if one.ledger == "stock" and one.line == line]
    return max(sum((one for one in found if one > ZERO), ZERO), -sum((one for one in found if one < ZERO), ZERO))


def red_requests(
    asked: Sequence[Request],
    lines: Mapping[int, RedLine],
    red: tuple[str, int],
    original: tuple[str, int],
    entries: Sequence[Entry],
    settled: frozenset[tuple[str, int]],
    declared: Mapping[str, Ledger],
    places: int,
) -> tuple[Request, ...]:
    """What a red document asks for.

    Args:
        asked: its requests as evaluated. lines: by id of the red line. red, original: (form, id) of both documents.
        entries: everything the original wrote. settled: orders that are closed and get nothing back.
    """
    groups: dict[int, list[Request]] = {}
    for request in asked:
        groups.setdefault(request.line.id or 0 if request.line else 0, []).append(request)
    made: list[Request] = []
    for line, group in groups.items():
        part = lines.get(line)
        own = [one for one in entries if part is not None and one.line == part.line] if line else []
        beside = own if line else [one for one in entries if not one.line]
        goods = [one for one in group if one.definition.ledger == "stock"]
        for request in (*goods, *(one for one in group if one.definition.ledger != "stock")):
            ledger = declared[request.definition.ledger]
            if ledger.key == COUNTING:
                continue
            if ledger.per_line:
                if part is not None and request.definition.consumes:
                    made += _given_back(request, part, own, settled)
            elif ledger.key == "stock":
                made.append(_goods(request, part, own, original))
            elif ledger.key == "wip":
                made.append(_in_process(request, part, own, bool(goods), places))
            else:
                reference = original if request.reference == red else request.reference
                back = _amount_of(request, reference, beside)
                made.append(request._replace(reference=reference, back=back))
    return tuple(made)


def _amount_of(request: Request, reference: tuple[str, int], own: Sequence[Entry]) -> Entry | None:
    """The entry by which the original changed the same open amount."""
    for one in live(own):
        if one.ledger == request.definition.ledger and (one.ref_form, one.ref_document) == reference != ("", 0):
            return one
    return None


def _goods(request: Request, part: RedLine | None, own: Sequence[Entry], original: tuple[str, int]) -> Request:
    """Goods go back at the unit cost they came or went at; what the document says they are worth beside it is kept
    where the original kept it. A move inside one pool stays one."""
    if part is None or not request.quantity or request.definition.cost == "share":
        return request
    origin = goods_of(request, own, request.quantity < ZERO)
    if origin is None or request.line is None:
        return request
    cost = "source"
    if origin.basis == "neutral":
        cost = "pair" if origin.origin else "method"
    source = SourceLine(form=original[0], document=original[1], line=part.line)
    return request._replace(
        definition=_with(request.definition, cost=cost, expired="allow"),
        value=request.value if origin.stated else None, line=replace(request.line, source=source),
    )  # fmt: skip


def _in_process(request: Request, part: RedLine | None, own: Sequence[Entry], goods: bool, places: int) -> Request:
    """Work in process gives back what the goods of the line were worth, or its part of what the original put in."""
    held = [one for one in own if one.ledger == "wip" and one.element == request.element]
    paired = {one.origin for one in own if one.ledger == "stock" and one.basis == "pair"}
    if goods and any(one.basis == "pair" or one.id in paired for one in held):
        return request._replace(definition=_with(request.definition, cost="pair"), value=None)
    if part is None or not held:
        return request
    value = -part.part(sum((one.value for one in held), ZERO), places)
    return request._replace(definition=_with(request.definition, cost="method"), value=value)


def _given_back(
    request: Request, part: RedLine, own: Sequence[Entry], settled: frozenset[tuple[str, int]]
) -> Iterator[Request]:
    """What the original took of an order's open quantity, given back in proportion; a closed order wants nothing."""
    for one in live(own):
        if one.ledger == request.definition.ledger and (one.ref_form, one.ref_document) not in settled:
            yield request._replace(quantity=-part.part(one.quantity, QUANTITY_SCALE), back=one)


def _with(definition: EntryDef, **changed: str) -> EntryDef:
    return definition.model_copy(update=changed)
