"""库存健康检查: what in stock and its cost deserves a look, each with the first of the cases.

Sources: domain rules C10 (零成本出库, 负库存) and D13 (unapproved documents, goods without a cost).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from engine.document import DocStatus
from engine.permissions import stock_measures
from engine.problems import Refused, problem
from runtime.closing import moving_forms
from runtime.facade.door import Door
from runtime.facade.referred import numbers
from runtime.facade.stock_rights import dimension
from runtime.stages.steps import Unit
from runtime.storage import closing_facts, documents
from runtime.storage.closing_facts import Found, Wanted

LOOKED_BACK = timedelta(days=90)
WAITED = timedelta(days=1)
SHOWN = 10
WAITING = (str(DocStatus.DRAFT), str(DocStatus.PENDING), str(DocStatus.REJECTED))
WEIGHTS: Mapping[str, int] = MappingProxyType({"negative": 30, "no_cost": 20, "free_issues": 20, "waiting": 10})


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    """One finding: how many cases there are, and the first as (form, id, text); form empty where nothing opens."""

    key: str
    count: int
    links: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthView:
    """The page: a score of 100 less the weight of every finding that has cases, and the findings."""

    score: int
    since: date
    findings: tuple[FindingView, ...]


def checkup(door: Door) -> HealthView:
    """Look at stock as it is now, and at what was issued in the last 90 days.

    Raises:
        Refused: ``forbidden`` without sight of values.
    """
    if "value" not in stock_measures(door.bundle, door.actor):
        raise Refused([problem("permission.stock_denied")], "forbidden")
    with door.reading() as unit:
        today = unit.around.clock.today
        findings = (
            _products(door, unit, "negative", closing_facts.negative_places(unit.connection, limit=SHOWN)),
            _products(door, unit, "no_cost", closing_facts.worthless_pools(unit.connection, limit=SHOWN)),
            _issues(door, unit, today - LOOKED_BACK),
            _waiting(door, unit, today - WAITED),
        )
    score = 100 - sum(WEIGHTS[one.key] for one in findings if one.count)
    return HealthView(score=score, since=today - LOOKED_BACK, findings=findings)


def _products(door: Door, unit: Unit, key: str, found: Found) -> FindingView:
    form = dimension(door, "product")
    ids = [identity for identity, _ in found.first]
    names = documents.display_names(unit.connection, unit.tables, form, ids, door.language) if ids else {}
    opens = form if door.may(door.bundle.forms[form], "read") else ""
    links = tuple((opens, identity, names[identity]) for identity in dict.fromkeys(ids))
    return FindingView(key=key, count=found.count, links=links)


def _issues(door: Door, unit: Unit, since: date) -> FindingView:
    found = closing_facts.free_issues(unit.connection, since, SHOWN)
    places = dict.fromkeys((str(form), identity) for identity, form in found.first)
    known = numbers(door, unit, places)
    links = tuple(
        (form, identity, f"{door.bundle.forms[form].label.text(door.language)} {known[form, identity]}")
        for form, identity in places
        if (form, identity) in known
    )
    return FindingView(key="free_issues", count=found.count, links=links)


def _waiting(door: Door, unit: Unit, through: date) -> FindingView:
    count, links = 0, []
    for form in moving_forms(door.bundle):
        compiled = door.bundle.forms[form]
        if not door.may(compiled, "read"):
            continue
        wanted = Wanted(form=form, statuses=WAITING, through=through)
        found = closing_facts.documents_like(unit.connection, unit.tables, wanted)
        count += found.count
        label = compiled.label.text(door.language)
        links += [(form, identity, f"{label} {number}".strip()) for identity, number in found.first]
    return FindingView(key="waiting", count=count, links=tuple(links[:SHOWN]))
