"""Which days are closed and what is frozen for counting: asked once per posting, against closings that race with it.

A posting holds the calendar shared, a closing or a freeze holds it alone; so either the closing sees the document or
the document sees the closing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.ledger import Entry
from engine.problems import Problem, Refused, distinct, problem
from runtime.stages.steps import Unit
from runtime.storage import closings, documents
from runtime.storage.closings import Forbidden


def check_days(unit: Unit, entries: Sequence[Entry], while_frozen: Sequence[bool], wheres: Sequence[str]) -> None:
    """Refuse entries dated in a closed period or in a place that is being counted.

    Raises:
        Refused: ``invalid`` with every reason.
    """
    if any(one.ledger == "freeze" for one in entries):
        closings.hold_alone(unit.connection)
    else:
        closings.hold_shared(unit.connection)
    forbidden = closings.forbidden(unit.connection)
    found = [*_closed(forbidden, entries), *_frozen(unit, forbidden, entries, while_frozen, wheres)]
    if found:
        raise Refused(distinct(found))


def _closed(forbidden: Forbidden, entries: Sequence[Entry]) -> Iterator[Problem]:
    closed = forbidden.closed
    for one in entries if closed else ():
        for warehouse in {0, one.warehouse} & closed.keys():
            if one.biz_date <= closed[warehouse]:
                yield problem("ledger.closed", "biz_date", day=one.biz_date, through=closed[warehouse])


def _frozen(
    unit: Unit, forbidden: Forbidden, entries: Sequence[Entry], while_frozen: Sequence[bool], wheres: Sequence[str]
) -> Iterator[Problem]:
    places = forbidden.frozen
    for one, allowed, where in zip(entries, while_frozen, wheres, strict=True) if places else ():
        counted = (0, one.warehouse) in places or (one.product, one.warehouse) in places
        if one.ledger == "stock" and one.quantity and counted and not allowed:
            form = unit.bundle.app.dimensions.warehouse or ""
            names = documents.display_names(
                unit.connection, unit.tables, form, [one.warehouse], unit.around.actor.language
            )
            yield problem("ledger.frozen", where, warehouse=names[one.warehouse])
