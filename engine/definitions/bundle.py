"""One call from texts to something that can be published: load, compile, check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from engine.definitions.checks import check_bundle, check_definitions
from engine.definitions.compile import compile_bundle
from engine.definitions.compiled import AppBundle
from engine.definitions.file_kinds import STORIES
from engine.definitions.load import load
from engine.kinds import Kinds
from engine.problems import Problem, Severity

STORY_FOLDER = f"{STORIES.folder}/"
# What a test beside a workflow or a rule says when it fails.
RED_TESTS = frozenset(
    {
        "definition.workflow_test_failed",
        "definition.workflow_walks",
        "definition.rule_test_failed",
        "definition.rule_fired",
        "definition.rule_did_not_fire",
        "definition.results_differ",
    }
)


def read_bundle(
    files: Mapping[str, str], kinds: Kinds, *, despite_tests: bool = False
) -> tuple[AppBundle | None, tuple[Problem, ...]]:
    """The bundle (None when an error stands in the way) and every problem found, warnings included.

    Args:
        despite_tests: tests beside definitions that fail do not stand in the way; the bundle carries them.
    """
    loaded = load(files, kinds)
    if has_errors(loaded.problems):
        return None, loaded.problems
    compiled = compile_bundle(loaded, kinds)
    problems = (*loaded.problems, *check_definitions(loaded))
    if not isinstance(compiled, AppBundle):
        return None, (*problems, *compiled)
    problems = (*problems, *check_bundle(loaded, compiled))
    red = tuple(each for each in problems if each.code in RED_TESTS) if despite_tests else ()
    if has_errors(tuple(each for each in problems if each not in red)):
        return None, problems
    return replace(compiled, red_tests=red) if red else compiled, problems


def bundle_of(files: Mapping[str, str], kinds: Kinds) -> AppBundle | tuple[Problem, ...]:
    """The bundle, or every problem that keeps it from being one. Warnings do not; ``read_bundle`` gives them too."""
    bundle, problems = read_bundle(files, kinds)
    return problems if bundle is None else bundle


def reopened(files: Mapping[str, str], kinds: Kinds, snapshot: str) -> AppBundle | tuple[Problem, ...]:
    """A bundle that was published before, from its stored texts, without judging it again.

    A check that came into the world later must not lock people out of what they published, so only what is needed to
    run it is asked for. Its stories are not read.

    Args:
        snapshot: the hash it was published under, which stays its name.
    """
    loaded = load({path: text for path, text in files.items() if not path.startswith(STORY_FOLDER)}, kinds)
    compiled = loaded.problems if has_errors(loaded.problems) else compile_bundle(loaded, kinds)
    if not isinstance(compiled, AppBundle):
        return compiled
    return replace(compiled, hash=snapshot, files=MappingProxyType(dict(files)))


def has_errors(problems: tuple[Problem, ...]) -> bool:
    """Whether one of ``problems`` is more than a warning."""
    return any(each.severity is Severity.ERROR for each in problems)
