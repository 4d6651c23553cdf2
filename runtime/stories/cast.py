"""Who plays in a story: the people it lists, and one holder for every role it speaks of and nobody listed holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from engine.actor import ADMIN_ROLE, AUTOMATION_ROLE
from engine.definitions.compiled import AppBundle
from engine.definitions.story import StoryDef, StoryStep, StoryUser


def cast(story: StoryDef, bundle: AppBundle) -> Mapping[str, StoryUser]:
    """Everybody by name: the listed users; a role the story uses as a person; a holder of each role without one."""
    people = dict(story.users)
    for name in sorted(_names(story) & ({*bundle.roles, ADMIN_ROLE} - people.keys())):
        people[name] = StoryUser(roles=(name,))
    held = {role for user in people.values() for role in user.roles}
    for role in sorted(bundle.roles.keys() - held - {AUTOMATION_ROLE} - people.keys()):
        people[role] = StoryUser(roles=(role,))
    return MappingProxyType(people)


def all_steps(steps: Iterable[StoryStep]) -> Iterator[StoryStep]:
    """Every step, those done at once after their parent."""
    for step in steps:
        yield step
        yield from all_steps(step.at_once)


def _names(story: StoryDef) -> set[str]:
    """Every text that may name a person: who acts, who has tasks, and any value of a field."""
    names = set(_texts([list(records) for records in story.given.values()]))
    for step in all_steps(story.steps):
        names.add(step.as_)
        names.update(_texts(step.with_))
        if step.expect is not None:
            names.update(each.user for each in (*step.expect.tasks, *step.expect.messages))
    return names


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
