"""Cross-reference checks."""

from __future__ import annotations

from collections.abc import Iterator

from engine.definitions.compiled import AppBundle
from engine.definitions.load import Loaded
from engine.problems import Problem


def check_definitions(loaded: Loaded) -> Iterator[Problem]:
    yield from ()


def check_bundle(loaded: Loaded, bundle: AppBundle) -> Iterator[Problem]:
    yield from ()
