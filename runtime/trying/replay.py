"""Replaying a changed workflow or rule over the documents of a past period: which would have gone differently.

Both versions are asked about every document as it is stored today, with today's settings and stock. Of a workflow the
conditions decide which nodes ask, everybody agreeing; of a rule whether it fires. Portion by portion, so memory does
not grow with the period; each portion is a read transaction of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from engine.definitions.compiled import AppBundle, CompiledForm, CompiledWorkflow
from engine.definitions.compiled_rule import CompiledRule
from engine.definitions.given import Given
from engine.definitions.workflow import Asking
from engine.definitions.workflow_tests import nodes_walked
from engine.document import Document
from engine.environment import scene
from engine.expressions import EvaluationFailed
from engine.labels import Label
from engine.problems import Refused, problem
from engine.rules.world import NOBODY
from runtime.stages.judge_facts import facts_of_documents
from runtime.stages.judge_rules import decided
from runtime.stages.steps import Unit, load_linked
from runtime.storage import documents, past_documents
from runtime.trying.drafts import Draft, unit_with
from runtime.trying.rule_trial import trigger_of, with_trigger

PORTION = 200
FAILED = "!"  # stands for the way of a document for which a condition has no value


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Documents from ``first`` to ``last``, both days included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Differing:
    """A document that would have gone another way: labels of the nodes that ask, or the outcome of the rule."""

    document: int
    number: str
    day: date
    before: tuple[Label, ...]
    after: tuple[Label, ...]


@dataclass(slots=True, kw_only=True)
class Tally:
    """Totals so far. ``before``, ``after``: approvals per asker, or outcomes of a rule, by the key in ``labels``."""

    looked: int = 0
    differing: int = 0
    failed: int = 0
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    labels: dict[str, Label] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """The differences of one portion; ``last``: the id to go on behind, None when the period is done."""

    rows: tuple[Differing, ...]
    last: int | None


def portion(
    unit: Unit, published: AppBundle, draft: Draft, period: Period, tally: Tally, after: int = 0, limit: int = PORTION
) -> Portion:
    """Look at the next documents of the period, behind the id ``after``; adds to ``tally``.

    Args:
        unit: of what is published.

    Raises:
        Refused: ``trying.no_past`` for a rule about no documents.
    """
    if not draft.form:
        raise Refused([problem("trying.no_past")])
    form = unit.form(draft.form)
    ids = past_documents.of_period(
        unit.connection, unit.tables, form.key, period.first, period.last,
        submitted=not form.is_master, after=after, limit=limit,
    )  # fmt: skip
    stored = documents.load_many(unit.connection, unit.tables, form.key, ids)
    group = [stored[identity] for identity in ids if identity in stored]
    old = _ways(unit_with(unit, published), published, draft, group, tally)
    new = _ways(unit_with(unit, draft.bundle), draft.bundle, draft, group, tally)
    rows: list[Differing] = []
    for document, before, then in zip(group, old, new, strict=True):
        tally.looked += 1
        tally.failed += FAILED in (*before, *then)
        tally.before.update(before)
        tally.after.update(then)
        if before != then:
            tally.differing += 1
            rows.append(
                Differing(
                    document=document.id or 0,
                    number=document.number or f"#{document.id}",
                    day=document.biz_date or document.created_at.date() if document.created_at else period.first,
                    before=tuple(tally.labels[key] for key in before),
                    after=tuple(tally.labels[key] for key in then),
                )
            )
    return Portion(rows=tuple(rows), last=ids[-1] if len(ids) == limit else None)


def _ways(
    unit: Unit, bundle: AppBundle, draft: Draft, group: Sequence[Document], tally: Tally
) -> list[tuple[str, ...]]:
    """Per document, the way it goes in ``bundle``; nothing where the definition is new and was not there before."""
    tally.labels.setdefault(FAILED, Label("无法判断", "No value"))
    form = unit.form(draft.form)
    if draft.flow is not None:
        flow = bundle.flows.get(draft.key)
        return [()] * len(group) if flow is None else _walks(unit, flow, form, group, tally)
    rule = bundle.rules.get(draft.key)
    if rule is None or not rule.definition.active or not group:
        return [()] * len(group)
    return _verdicts(unit, rule, form, group, tally)


def _walks(
    unit: Unit, flow: CompiledWorkflow, form: CompiledForm, group: Sequence[Document], tally: Tally
) -> list[tuple[str, ...]]:
    askers = {key: asker_of(unit.bundle, flow, key) for key in flow.nodes}
    linked = load_linked(unit, form, group)
    found: list[tuple[str, ...]] = []
    for document in group:
        names = scene(form, document, linked, unit.around).header
        try:
            walk = nodes_walked(flow, Given(names=names, clock=unit.around.clock))
        except EvaluationFailed:
            found.append((FAILED,))
            continue
        for node in walk:
            tally.labels.setdefault(askers[node][0], askers[node][1])
        found.append(tuple(askers[node][0] for node in walk))
    return found


def asker_of(bundle: AppBundle, flow: CompiledWorkflow, node: str) -> tuple[str, Label]:
    """Who is asked at a node, for counting: the role where it asks one role, else the node itself."""
    step = flow.nodes[node]
    ways = step.persons if isinstance(step, Asking) else ()
    role = bundle.roles.get(ways[0].role or "") if len(ways) == 1 else None
    return (f"role:{ways[0].role}", role.definition.label) if role is not None else (f"node:{node}", step.label)


def _verdicts(
    unit: Unit, rule: CompiledRule, form: CompiledForm, group: Sequence[Document], tally: Tally
) -> list[tuple[str, ...]]:
    """The outcome on each; look-ups are made once per portion, and what the rule remembers is not asked."""
    facts = facts_of_documents(unit, form, group, trigger_of(rule))
    made = decided(unit, rule, tuple(with_trigger(rule, one) for one in facts), NOBODY, afresh=True)
    found: list[tuple[str, ...]] = []
    for one in made:
        outcome = one.verdict.outcome
        if outcome in ("failed", "cut"):
            found.append((FAILED,))
        elif outcome in ("quiet", "silent"):
            found.append(())
        else:
            tally.labels.setdefault(outcome, OUTCOMES[outcome])
            found.append((outcome,))
    return found


OUTCOMES: Mapping[str, Label] = MappingProxyType(
    {
        "fired": Label("触发", "Fired"),
        "rejected": Label("拒绝", "Rejected"),
        "warned": Label("提醒确认", "Warned"),
    }
)
