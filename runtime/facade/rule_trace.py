"""How a rule's condition came about in one run: evaluated again, step by step, on the values the log kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from engine.expressions import Checked, Clock, EvaluationFailed, ValueType
from engine.expressions.trace import evaluate_traced
from engine.expressions.tree import Step
from engine.expressions.types import Kind, Row
from runtime.facade.rule_words import Speaking
from runtime.messages.catalogue import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """A step of an evaluation, and those that led to it."""

    text: str
    value: str
    steps: tuple[StepView, ...] = ()


def trace(words: Speaking, read: Mapping[str, Any], at: datetime) -> tuple[StepView, ...]:
    """The condition evaluated again on what was read then; nothing where that is not enough."""
    checked = words.rule.condition
    try:
        names = _names_again(checked, words.rule.scope.names, read)
        traced = evaluate_traced(checked, names, Clock(today=at.date(), now=at))
    except (EvaluationFailed, LookupError, ValueError, TypeError, AttributeError, ArithmeticError):
        return ()
    return tuple(_step(words, one) for one in traced.steps)


def _step(words: Speaking, step: Step) -> StepView:
    text = step.source if step.source.startswith("#") else words.text(step.source, {})
    value = shown(step.value, words.door.language)
    return StepView(text=text, value=value, steps=tuple(_step(words, each) for each in step.steps))


def _names_again(checked: Checked, types: Mapping[str, ValueType], read: Mapping[str, Any]) -> Mapping[str, object]:
    """The names of a condition from the values it read."""
    below: dict[str, dict[tuple[str, ...], object]] = {}
    for path, type_ in checked.paths.items():
        value = _typed(read[".".join(path)], type_)
        below.setdefault(path[0], {})[path[1:]] = value
    return {name: _whole(found, types.get(name)) for name, found in below.items()}


def _whole(found: Mapping[tuple[str, ...], object], type_: ValueType | None) -> object:
    """A value, a record or a line table from the values at the paths below it."""
    if type_ is not None and type_.kind is Kind.LINES:
        columns = {path: value for path, value in found.items() if path and isinstance(value, list | tuple)}
        number = max((len(value) for value in columns.values()), default=0)
        return tuple(_record({path: value[line] for path, value in columns.items()}) for line in range(number))
    return _record(found)


def _record(found: Mapping[tuple[str, ...], object]) -> object:
    if set(found) == {()}:
        return found[()]
    parts: dict[str, dict[tuple[str, ...], object]] = {}
    for path, value in found.items():
        if path:
            parts.setdefault(path[0], {})[path[1:]] = value
    own = found.get(())
    identity = own.id if isinstance(own, Row) else None
    return Row(id=identity, values={name: _record(each) for name, each in parts.items()})


def _typed(value: Any, type_: ValueType) -> object:
    """A value of the log as expressions see it."""
    if isinstance(value, list | tuple):
        each = [_typed(one, type_) for one in value]
        return tuple(each)
    if value is None:
        return None
    match type_.kind:
        case Kind.NUMBER:
            return Decimal(str(value))
        case Kind.DATE:
            return date.fromisoformat(str(value))
        case Kind.DATETIME:
            return datetime.fromisoformat(str(value))
        case Kind.LINK:
            return Row(id=int(value), values={})
        case _:
            return value
