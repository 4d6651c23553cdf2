"""Stage 5, post: evaluate what the document asks of the ledgers, and have the books decide and keep it.

Approve writes the posting's entries, unapprove and reopen mirror, close releases. What a document holds while it waits
for approval (a rush order's lock) is written on submit and goes with approval, withdrawal or rejection. What is freed
by any of it goes to the lines that wait for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from types import MappingProxyType

from engine.costing import method
from engine.document import RED
from engine.environment import biz_date_of
from engine.ledger import Entry, Policy, asked, live, releases, requests
from engine.ledger import Posted as Decided
from engine.problems import Refused, Severity
from engine.values import ZERO
from runtime.declared import declared_ledgers
from runtime.stages.allot import allot, freed, take_back
from runtime.stages.books import Books
from runtime.stages.calendar import check_days
from runtime.stages.picking import pick_problems
from runtime.stages.red_posting import red_wanted
from runtime.stages.steps import Advanced, Posted, Unit
from runtime.storage import documents
from runtime.storage import ledgers as ledger_rows

REVERSES: Mapping[str, str] = MappingProxyType(
    {"unapprove": "approve", "reopen": "close", "withdraw": "submit", "reject": "submit"}
)


def post_entries(unit: Unit, advanced: Advanced) -> Posted:
    """Run the stage.

    Raises:
        Refused: ``invalid`` with every shortage or missing dimension, or with warnings nobody confirmed; nothing of
            the transaction stays.
    """
    if not _concerns_ledgers(unit, advanced):
        return Posted(advanced=advanced, entries=())
    books = books_of(unit)
    day = biz_date_of(advanced.document, unit.around.clock)
    before = _given_up(unit, books, advanced, day)
    decided = _mirrored(unit, books, advanced) if advanced.posts in REVERSES else _posted(unit, books, advanced)
    warnings = tuple(one for one in decided.problems if one.severity is Severity.WARNING)
    if len(warnings) < len(decided.problems) or (warnings and not _read(advanced)):
        raise Refused(decided.problems)
    written = (*before, *books.keep(decided, unit.now, unit.around.actor.user))
    if advanced.posts == "reopen":
        gone = {place: ZERO for place, change in freed(written).items() if change < ZERO}
        own = (advanced.document.form, advanced.document.id or 0)
        written = (*written, *take_back(unit, books, gone, day, own))
    allotted = allot(unit, books, written, day)
    return Posted(advanced=advanced, entries=(*written, *allotted.entries), effects=allotted.effects, warnings=warnings)


def _read(advanced: Advanced) -> bool:
    return advanced.written.authorized.validated.begun.command.confirmed


def _concerns_ledgers(unit: Unit, advanced: Advanced) -> bool:
    postings = unit.bundle.postings.get(advanced.document.form, ())
    if advanced.posts == "submit" or REVERSES.get(advanced.posts) == "submit":
        return _holds_while_pending(unit, advanced.document.form)
    return bool(advanced.posts and postings)


def _holds_while_pending(unit: Unit, form: str) -> bool:
    return any(posting.entries.get("submit") for posting in unit.bundle.postings.get(form, ()))


def _given_up(unit: Unit, books: Books, advanced: Advanced, day: date) -> Sequence[Entry]:
    """What has to go before the document can post: its own lock, which approval renews as it can, and allotments of
    goods whose arrival is being unapproved."""
    document = advanced.document
    if advanced.posts == "approve" and _holds_while_pending(unit, document.form):
        own = ledger_rows.entries_of(unit.connection, document.form, document.id or 0)
        held = [entry for entry in live(own) if entry.action == "submit"]
        if not held:
            return ()
        return books.keep(books.mirror(document, "submit", held, own, "approve", day), unit.now, unit.around.actor.user)
    if advanced.posts == "unapprove":
        own = ledger_rows.entries_of(unit.connection, document.form, document.id or 0)
        came = [entry for entry in live(own) if entry.action == "approve"]
        going = freed(came, books.past(came))
        return take_back(unit, books, {place: change for place, change in going.items() if change > ZERO}, day)
    return ()


def books_of(unit: Unit) -> Books:
    """The books as this unit of work sees them."""
    settings, dimensions = unit.bundle.app.settings, unit.bundle.app.dimensions
    return Books(
        connection=unit.connection,
        declared=declared_ledgers(unit.bundle),
        costing=method(settings.cost_method),
        policy=Policy(
            places=settings.money_decimals,
            negative_stock=settings.negative_stock,
            partial_reservation=settings.partial_reservation,
            back_dating=settings.back_dating == "replay",
        ),
        products=_Names(unit, dimensions.product or ""),
        warehouses=_Names(unit, dimensions.warehouse or ""),
        numbers=_Numbers(unit),
        today=unit.around.clock.today,
        faults=unit.faults,
    )


def _posted(unit: Unit, books: Books, advanced: Advanced) -> Decided:
    document, names = advanced.document, advanced.written.scene
    postings = unit.bundle.postings[document.form]
    if document.origin == RED:
        wanted, problems = red_wanted(unit, document, advanced.posts, books.declared)
    else:
        wanted, problems = requests(
            postings, advanced.posts, document, names.header, names.all_lines(), books.declared, unit.around.clock,
            books.policy.places,
        )  # fmt: skip
    if problems:
        raise Refused(problems)
    day = biz_date_of(document, unit.around.clock)
    again = document.approved_at is not None and advanced.written.authorized.validated.begun.old is not None
    own = ledger_rows.entries_of(unit.connection, document.form, document.id or 0) if again else ()
    told = asked(wanted, document, advanced.posts, own, day)
    check_days(
        unit,
        [entry for _, entry in told],
        [one.definition.while_frozen for one in wanted],
        [one.where for one in wanted],
    )
    departing = pick_problems(unit, wanted, unit.around.clock.today)
    if departing:
        raise Refused(departing)
    return books.post(document, told, releases(postings, advanced.posts), own, advanced.posts, day)


def _mirrored(unit: Unit, books: Books, advanced: Advanced) -> Decided:
    document = advanced.document
    own = ledger_rows.entries_of(unit.connection, document.form, document.id or 0)
    reversed_action = REVERSES[advanced.posts]
    touched = [entry for entry in live(own) if entry.action == reversed_action]
    check_days(unit, touched, [False] * len(touched), [""] * len(touched))
    day = biz_date_of(document, unit.around.clock)
    return books.mirror(document, reversed_action, touched, own, advanced.posts, day)


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
