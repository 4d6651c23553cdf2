"""Values that do not come from a form: what action nodes set, and proposed changes on their way through JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from engine.definitions.compiled import CompiledWorkflow
from engine.definitions.workflow import ActionStep
from engine.document import Document, SourceLine, Value
from engine.expressions import EvaluationFailed, evaluate
from engine.forms.complete import computed, stored_value
from engine.forms.draft import LinePatch, Patch
from engine.problems import Problem, Refused
from runtime.stages.steps import Unit, Written, load_linked
from runtime.storage import documents, history
from runtime.storage.history import HistoryRow
from runtime.storage.search_text import searchable


@dataclass(frozen=True, slots=True, kw_only=True)
class Valued:
    """The document after action nodes have set values, and the submission with the names that match it."""

    written: Written
    document: Document


def with_values(
    unit: Unit, written: Written, document: Document, flow: CompiledWorkflow, actions: Sequence[ActionStep]
) -> Valued:
    """Set what the action nodes say, formulas included; written as a change of its own, made by the product.

    Raises:
        Refused: ``invalid`` when a value cannot be worked out.
    """
    form = written.authorized.validated.begun.form
    given: dict[str, Value] = {}
    problems: list[Problem] = []
    for action in actions:
        for index, then in enumerate(action.then):
            when = flow.expressions.get((action.key, f"then.{index}.when"))
            try:
                if when is not None and evaluate(when, written.scene.header, unit.around.clock) is not True:
                    continue
                for name in then.set or {}:
                    checked = flow.expressions.get((action.key, f"then.{index}.set.{name}"))
                    if checked is not None and name in form.fields:
                        value = evaluate(checked, written.scene.header, unit.around.clock)
                        given[name] = stored_value(form.fields[name], value)
            except EvaluationFailed as failed:
                problems.append(failed.problem)
    if problems:
        raise Refused(problems)
    changed = {name: value for name, value in given.items() if document.values.get(name) != value}
    if not changed:
        return Valued(written=written, document=document)
    draft = replace(document, values={**document.values, **changed})
    linked = load_linked(unit, form, (draft,), written.authorized.validated.clean.linked)
    made, failures, names = computed(draft, form, linked, unit.around)
    if failures:
        raise Refused(failures)
    stored = documents.update(
        unit.connection, unit.tables, document, made, searchable(form, made), unit.now, modifier=unit.around.actor.user
    )
    history.append(
        unit.connection,
        [
            HistoryRow(
                form=form.key,
                document=stored.id or 0,
                version=stored.version,
                at=unit.now,
                user=0,
                user_name=flow.definition.label.zh,
                action="update",
                changes={
                    key: [
                        field.type.to_json(document.values.get(key), field.options),
                        field.type.to_json(stored.values.get(key), field.options),
                    ]
                    for key, field in form.fields.items()
                    if document.values.get(key) != stored.values.get(key)
                },
                reason="",
                origin="auto",
            )
        ],
    )
    names = replace(names, header={**names.header, "version": stored.version})
    return Valued(written=replace(written, document=stored, scene=names), document=stored)


def json_patch(patch: Patch) -> Mapping[str, Any]:
    """A patch as JSON can keep it; figures and days as the texts a form would send."""
    return {
        "values": {key: _plain(value) for key, value in patch.values.items()},
        "lines": {
            table: [
                {
                    "id": line.id,
                    "values": {key: _plain(value) for key, value in line.values.items()},
                    "source": [line.source.form, line.source.document, line.source.line] if line.source else None,
                }
                for line in rows
            ]
            for table, rows in patch.lines.items()
        },
    }


def patch_of(data: Mapping[str, Any]) -> Patch:
    """Inverse of ``json_patch``."""
    return Patch(
        values=data["values"],
        lines={
            table: tuple(
                LinePatch(
                    id=line["id"],
                    values=line["values"],
                    source=SourceLine(form=line["source"][0], document=line["source"][1], line=line["source"][2])
                    if line["source"]
                    else None,
                )
                for line in rows
            )
            for table, rows in data["lines"].items()
        },
    )


def _plain(value: object) -> object:
    if isinstance(value, Decimal | date):
        return str(value) if isinstance(value, Decimal) else value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
