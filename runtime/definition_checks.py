"""Everything an app is checked for: what the engine finds, and whether the database can answer its filters.

The one place that joins both; ``stockloom check``, publishing and the tests of the catalog ask here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from engine.definitions.bundle import RED_TESTS, has_errors, read_bundle
from engine.definitions.compiled import AppBundle
from engine.definitions.load import load
from engine.definitions.row_filters import row_filters
from engine.kinds import Kinds
from engine.problems import Problem
from runtime.storage.filters import compilable


def checked_bundle(
    files: Mapping[str, str], kinds: Kinds, *, despite_tests: bool = False
) -> tuple[AppBundle | None, tuple[Problem, ...]]:
    """The bundle of ``files`` (None when an error stands in the way) and every problem, warnings included.

    Args:
        despite_tests: red tests beside definitions do not stand in the way; the bundle carries them.
    """
    bundle, problems = read_bundle(files, kinds, despite_tests=despite_tests)
    if bundle is None:
        return None, problems
    problems = (*problems, *filter_problems(bundle))
    weighed = tuple(each for each in problems if not (despite_tests and each.code in RED_TESTS))
    return None if has_errors(weighed) else bundle, problems


def filter_problems(bundle: AppBundle) -> Iterator[Problem]:
    """Views, row filters and cards that no ``WHERE`` can say."""
    for each in row_filters(load(bundle.files, bundle.kinds), bundle):
        for problem in compilable(each.checked, each.constants):
            yield replace(problem, where=each.where)
