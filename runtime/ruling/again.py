"""Running a rule again: on the record as it is today, as a new line of the log that names the old one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

from engine.actor import Actor
from engine.definitions.compiled_rule import CompiledRule
from engine.definitions.rule_scopes import trigger_of
from engine.problems import Refused, problem
from engine.rules.facts import Facts, flow_names, import_names, offset_names
from runtime.house import House
from runtime.ruling.outside import facts_again, received_facts
from runtime.ruling.waking import Rows, follow, in_unit
from runtime.stages.judge_rules import RefusedByRules, decided
from runtime.stages.judge_world import LiveWorld
from runtime.stages.steps import Unit
from runtime.storage import rule_runs
from runtime.storage.database import read
from runtime.storage.rule_runs import RuleRun
from runtime.workspaces import Workspace


def run_again(house: House, place: Workspace, actor: Actor, run_id: int) -> int:
    """Judge the rule of a run again, forgetting what it remembers; the id of the new run.

    Its effects follow; values it would set and what it would refuse are only logged. Whoever calls this has asked for
    the right to.

    Raises:
        Refused: ``missing`` when run, rule or record are gone.
    """
    with read(place.database) as connection:
        run = rule_runs.get(connection, run_id)
    if run is None:
        raise Refused([problem("rule.run_missing")], "missing")

    def work(unit: Unit, rows: Rows) -> None:
        rule = unit.bundle.rules.get(run.rule)
        if rule is None:
            raise Refused([problem("rule.gone", rule=run.rule)], "missing")
        group = decided(unit, rule, (facts_of_today(unit, rule, run),), LiveWorld(unit), afresh=True)
        loud = tuple(replace(one, rule=_loud(one.rule)) for one in group)
        follow(unit, rows, loud, rerun_of=run.id)

    with suppress(RefusedByRules):  # what it refuses today the log has as well
        in_unit(house, place, work, actor)
    with read(place.database) as connection:
        return rule_runs.latest(connection, rule=run.rule, limit=1)[0].id


def facts_of_today(unit: Unit, rule: CompiledRule, run: RuleRun) -> Facts:
    """The facts of today for a run of then.

    Raises:
        Refused: ``missing`` when its record is gone, or was a balance, of which the log keeps no record.
        EvaluationFailed: a message cannot be read as it is declared by now.
    """
    brought: Mapping[str, Any] = run.facts.get("brought", {})
    when, trigger = rule.definition.when, trigger_of(rule.definition.when)
    if trigger == "webhook":
        return received_facts(unit, when.webhook or "", brought.get("payload", {}))
    facts = facts_again(unit, rule, run.form, run.document, run.trigger)
    about_one = trigger not in ("schedule", "imported") or bool(run.document)
    if about_one and facts.record[1] is None:
        raise Refused([problem("rule.no_record")], "missing")
    more: Mapping[str, object] = {}
    if trigger == "imported":
        counted = {name: int(Decimal(str(value))) for name, value in brought.get("imported", {}).items()}
        more = import_names(**counted)
    elif trigger == "flow":
        more = flow_names(**brought.get("flow", {"event": run.trigger}))
    elif trigger == "date":
        more = offset_names(int(Decimal(str(brought.get("offset", 0)))))
    return replace(facts, names={"old": None, **facts.names, **more})


def _loud(rule: CompiledRule) -> CompiledRule:
    """The rule with everything in its log: whoever runs it again wants to see what came of it."""
    return replace(rule, definition=rule.definition.model_copy(update={"log": "all"}))
