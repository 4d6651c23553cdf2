"""Tags on records: which forms can have any, and those of one record. Rules and workflows put them on."""

from __future__ import annotations

from collections.abc import Iterator

from engine.definitions.compiled import AppBundle
from engine.definitions.compiled_rule import CompiledRule
from engine.definitions.rule_scopes import record_of
from runtime.facade.door import Door
from runtime.stages.steps import Unit
from runtime.storage import tags


def may_carry_tags(door: Door, form: str) -> bool:
    """Whether anything published puts tags on records of the form; lists of other forms ask for none."""
    return form in door.published.derived.once(lambda: frozenset(_tagged(door.bundle)), "tagged forms")


def tags_of(door: Door, unit: Unit, form: str, document: int | None) -> tuple[str, ...]:
    """The tags of one record in the person's language."""
    if document is None or not may_carry_tags(door, form):
        return ()
    found = tags.of_documents(unit.connection, form, (document,))
    return tuple(one.text(door.language) for one in found.get(document, ()))


def _tagged(bundle: AppBundle) -> Iterator[str]:
    for rule in _rules(bundle):
        if any(then.tag is not None for then in rule.definition.then):
            yield record_of(rule.definition, bundle.app)


def _rules(bundle: AppBundle) -> Iterator[CompiledRule]:
    """Rules, and what action nodes of workflows do."""
    yield from bundle.rules.values()
    for flow in bundle.flows.values():
        yield from flow.actions.values()
