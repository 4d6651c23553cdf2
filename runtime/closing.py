"""每日结账 and 月结: what must be done before days are closed, closing them, and opening them again.

A closing waits for every posting under way and lets none begin before it is written (see ``storage.closings``), so that
what it has checked is what it closes. Nothing of the ledgers is changed: a closed day is one no document may be posted
to or unapproved in. Source: domain rule C9.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from engine.definitions.compiled import AppBundle, CompiledForm
from engine.document import DocStatus
from engine.labels import Label, listed
from engine.problems import Problem, Refused, problem
from runtime.declared import declared_ledgers, subject_forms
from runtime.sealing import seal_within
from runtime.stages.steps import Unit
from runtime.storage import closing_facts, closings, documents
from runtime.storage.closing_facts import Found, Wanted
from runtime.storage.closings import Closing
from runtime.storage.ledgers import fold

Level: TypeAlias = Literal["ok", "warning", "error"]
CloseKind: TypeAlias = Literal["day", "month"]
DAY, MONTH = "day", "month"
COMPANY = 0
WAITING = (str(DocStatus.DRAFT), str(DocStatus.PENDING), str(DocStatus.REJECTED))
PENDING = (str(DocStatus.PENDING),)
APPROVED = (str(DocStatus.APPROVED),)
ONE_DAY = timedelta(days=1)
REFUSALS: Mapping[str, Callable[[int, Label], Problem]] = MappingProxyType(
    {
        "unfinished": lambda count, names: problem("closing.unfinished", count=count, names=names),
        "pending": lambda count, names: problem("closing.pending", count=count, names=names),
        "counting": lambda count, names: problem("closing.counting", count=count, names=names),
        "negative": lambda count, names: problem("closing.negative", count=count, names=names),
        "jobs": lambda count, names: problem("closing.jobs", count=count, names=names),
        "balances": lambda count, names: problem("closing.balances", count=count, names=names),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What is to be closed: every day up to ``through``, of one warehouse (``day``) or of the company (``month``)."""

    kind: CloseKind
    warehouse: int
    through: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A document or place a check speaks of; ``form`` is empty for a place."""

    form: str
    id: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the checklist.

    Attributes:
        key: ``unfinished``, ``pending``, ``counting``, ``follow_up``, ``negative``, ``no_cost``, ``jobs`` or
            ``balances``.
        level: ``error`` forbids closing. count: how many things; named: the first of them.
    """

    key: str
    level: Level
    count: int
    named: tuple[Named, ...] = ()


def month_end(year: int, month: int) -> date:
    """The last day of a month; ``ValueError`` or ``OverflowError`` when there is no such month."""
    return date(year, month, monthrange(year, month)[1])


def checklist(unit: Unit, period: Period) -> tuple[Check, ...]:
    """Everything that stands against closing, and what deserves a look (domain rule C9)."""
    return (
        _documents(unit, period, "unfinished", moving_forms(unit.bundle), WAITING, "error"),
        *(
            (_documents(unit, period, "pending", _others(unit.bundle), PENDING, "error"),)
            if period.kind == MONTH
            else ()
        ),
        _counting(unit, period),
        _documents(unit, period, "follow_up", _followed(unit.bundle), APPROVED, "warning", unfinished=True),
        _negative(unit, period),
        *(_company(unit) if period.kind == MONTH else ()),
    )


def close(unit: Unit, period: Period) -> int:
    """Close the days of ``period``; the id of the closing.

    Raises:
        Refused: ``conflict`` with everything that stands against it, documents named.
    """
    closings.hold_alone(unit.connection)
    latest = closings.latest_closing(unit.connection, period.kind, period.warehouse)
    today = unit.around.clock.today
    if latest is not None and latest.through >= period.through:
        raise Refused([problem("closing.closed_already", "through", through=latest.through)], "conflict")
    if period.through > today:
        raise Refused([problem("closing.in_future", "through", through=period.through)], "conflict")
    if period.kind == MONTH and (period.through + ONE_DAY).day != 1:
        raise Refused([problem("closing.not_a_month", "through", through=period.through)])
    checks = checklist(unit, period)
    if against := [refusal(one) for one in checks if one.level == "error"]:
        raise Refused(against, "conflict")
    if period.kind == MONTH:
        seal_within(unit.connection, unit.now)
    return closings.add_closing(
        unit.connection, period.kind, period.warehouse, period.through, unit.now, unit.around.actor.user,
        _report(unit, checks),
    )  # fmt: skip


def reopen(unit: Unit, closing: int, reason: str) -> Closing:
    """Open the days of a closing again (反结账): the latest of its kind and place only.

    Raises:
        Refused: ``missing``, ``invalid`` without a reason, ``conflict`` when a later one is still closed.
    """
    closings.hold_alone(unit.connection)
    found = closings.closing_of(unit.connection, closing)
    if found is None or found.reopened_at is not None:
        raise Refused([problem("closing.missing")], "missing")
    if not reason.strip():
        raise Refused([problem("closing.reason_required", "reason")])
    latest = closings.latest_closing(unit.connection, found.kind, found.warehouse)
    if latest is not None and latest.id != found.id:
        raise Refused([problem("closing.latest_first", through=latest.through)], "conflict")
    closings.mark_reopened(unit.connection, found.id, unit.now, unit.around.actor.user, reason.strip())
    return found


def refusal(check: Check) -> Problem:
    """A check that failed, as the reason not to close."""
    named = [Label(one.text) for one in check.named]
    return REFUSALS[check.key](check.count, listed(named or [Label(str(check.count))]))


def moving_forms(bundle: AppBundle) -> tuple[str, ...]:
    """Forms whose documents change stock or money when approved, and forms such documents are made from by a rule
    (a count becomes gains and losses). Orders are not among them: what they still expect is no unfinished business."""
    declared = declared_ledgers(bundle)
    moving = [
        form
        for form, postings in bundle.postings.items()
        if any(
            not declared[entry.definition.ledger].per_line
            for posting in postings
            for entry in posting.entries.get("approve", ())
        )
    ]
    started = {
        rule.definition.when.form
        for rule in bundle.rules.values()
        if rule.definition.when.form
        for effect in rule.definition.then
        if effect.start is not None and effect.start.form in moving
    }
    return tuple(key for key in bundle.forms if key in {*moving, *started} and not bundle.forms[key].is_master)


def warehouse_fields(bundle: AppBundle, form: CompiledForm) -> tuple[str, ...]:
    """Paths of the links to a warehouse: of the header, else of the lines."""
    warehouse = bundle.app.dimensions.warehouse
    linking = [one for one in form.all_fields() if getattr(one.options, "to", None) == warehouse and warehouse]
    header = tuple(one.path for one in linking if not one.table)
    return header or tuple(one.path for one in linking)


def _others(bundle: AppBundle) -> tuple[str, ...]:
    moving = moving_forms(bundle)
    return tuple(key for key, form in bundle.forms.items() if not form.is_master and key not in moving)


def _followed(bundle: AppBundle) -> tuple[str, ...]:
    """Moving forms that something has to follow: estimated receipts want their invoice, goods sent their arrival."""
    return tuple(key for key in moving_forms(bundle) if bundle.forms[key].definition.execution is not None)


def _documents(
    unit: Unit,
    period: Period,
    key: str,
    forms: Sequence[str],
    statuses: tuple[str, ...],
    level: Level,
    unfinished: bool = False,
) -> Check:
    count, named = 0, []
    for form in forms:
        compiled = unit.form(form)
        fields = warehouse_fields(unit.bundle, compiled)
        if period.warehouse and not fields:
            continue
        wanted = Wanted(
            form=form, statuses=statuses, through=period.through, warehouse=period.warehouse, fields=fields,
            unfinished=unfinished,
        )  # fmt: skip
        found = closing_facts.documents_like(unit.connection, unit.tables, wanted)
        count += found.count
        label = compiled.label.text(unit.around.actor.language)
        named += [Named(form=form, id=identity, text=f"{label} {number}".strip()) for identity, number in found.first]
    return Check(key=key, level=level if count else "ok", count=count, named=tuple(named[:10]))


def _counting(unit: Unit, period: Period) -> Check:
    places = sorted(
        warehouse
        for warehouse in {place[1] for place in closings.forbidden(unit.connection).frozen}
        if period.warehouse in (COMPANY, warehouse)
    )
    form = unit.bundle.app.dimensions.warehouse or ""
    names = _names(unit, form, places)
    named = tuple(Named(form=form, id=one, text=names[one]) for one in places[:10])
    return Check(key="counting", level="error" if places else "ok", count=len(places), named=named)


def _negative(unit: Unit, period: Period) -> Check:
    found = closing_facts.negative_places(unit.connection, period.warehouse)
    allowed = unit.bundle.app.settings.negative_stock
    return _places(unit, "negative", found, "warning" if allowed else "error")


def _company(unit: Unit) -> Iterator[Check]:
    yield _places(unit, "no_cost", closing_facts.worthless_pools(unit.connection), "warning")
    yield _jobs(unit)
    differences = fold(unit.connection, declared_ledgers(unit.bundle))
    yield Check(
        key="balances", level="error" if differences else "ok", count=len(differences),
        named=tuple(Named(form="", id=0, text=one.key.text) for one in differences[:3]),
    )  # fmt: skip


def _places(unit: Unit, key: str, found: Found, level: Level) -> Check:
    form = unit.bundle.app.dimensions.product or ""
    names = _names(unit, form, [product for product, _ in found.first])
    named = tuple(Named(form=form, id=product, text=names[product]) for product, _ in found.first)
    return Check(key=key, level=level if found.count else "ok", count=found.count, named=named)


def _jobs(unit: Unit) -> Check:
    """Work in process of orders that are finished or closed: its cost has not been settled."""
    left = [subject for subject, _ in closing_facts.open_jobs(unit.connection)]
    done: list[Named] = []
    for key in subject_forms(unit.bundle, "wip") if left else ():
        label = unit.form(key).label.text(unit.around.actor.language)
        for identity, one in documents.load_many(unit.connection, unit.tables, key, left).items():
            if one.status is DocStatus.CLOSED or one.exec_status == "done":
                done.append(Named(form=key, id=identity, text=f"{label} {one.number or ''}".strip()))
    return Check(key="jobs", level="error" if done else "ok", count=len(done), named=tuple(done[:10]))


def _names(unit: Unit, form: str, ids: Sequence[int]) -> Mapping[int, str]:
    if not form or not ids:
        return {}
    return documents.display_names(unit.connection, unit.tables, form, list(ids), unit.around.actor.language)


def _report(unit: Unit, checks: Sequence[Check]) -> Mapping[str, Any]:
    """What is kept with a closing: the checklist as it was, and what the ledgers came to."""
    chains = [(one.key, one.chain) for one in declared_ledgers(unit.bundle).values()]
    return {
        "checks": [
            {"key": one.key, "level": one.level, "count": one.count, "named": [each.text for each in one.named]}
            for one in checks
        ],
        "totals": {
            ledger: {"quantity": _plain(quantity), "value": _plain(value)}
            for ledger, quantity, value in closing_facts.totals(unit.connection, chains)
            if quantity or value
        },
    }


def _plain(figure: Decimal) -> str:
    return f"{figure.normalize():f}"
