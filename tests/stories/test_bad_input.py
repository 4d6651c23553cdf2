"""Bad input, as data: it is told in both languages where and why, with its figures, and leaves no trace in a ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest
import sqlalchemy as sa
import yaml

from engine.definitions.story import StoryDef, StoryStep
from engine.problems import Problem
from runtime.messages.catalogue import Catalogue
from runtime.storage.database import read
from runtime.stories import Theatre
from runtime.stories.deeds import do, give
from runtime.stories.theatre import Performance
from runtime.verification import verify
from tests.stories.apps import ROOT, bundle_of_app
from tests.stories.test_template_stories import address

CASES = ROOT / "tests" / "cases" / "bad_input"
TABLES = ("sys_entry", "sys_balance", "sys_lot", "sys_layer", "sys_layer_use", "sys_closing")
LONG = "长" * 5000  # stands for LONG in a case: nobody wants to read it there
FILES = {file.stem: yaml.load(file.read_text("utf-8"), yaml.BaseLoader) for file in sorted(CASES.glob("*.yaml"))}


@pytest.fixture(scope="module")
def worlds() -> Iterator[tuple[ExitStack, dict[tuple[str, str], Performance]]]:
    """Performances by file and database; one at a time on a database, since PostgreSQL's is emptied for each."""
    with ExitStack() as stack:
        yield stack, {}


@pytest.fixture
def performance(
    request: pytest.FixtureRequest,
    worlds: tuple[ExitStack, dict[tuple[str, str], Performance]],
    tmp_path_factory: pytest.TempPathFactory,
    catalogue: Catalogue,
    database_kind: str,
    name: str,
) -> Performance:
    """The world of a file of cases, its steps done."""
    stack, kept = worlds
    if (name, database_kind) not in kept:
        url = address(request.getfixturevalue("postgres_url")) if database_kind == "postgres" else None
        file = FILES[name]
        folder = ROOT / file["app"]
        theatre = stack.enter_context(
            Theatre(bundle_of_app(folder), catalogue, tmp_path_factory.mktemp("theatre"), folder / "tests", url)
        )
        made = stack.enter_context(theatre.open(StoryDef.model_validate(file["story"])))
        give(made)
        for step in made.story.steps:
            _done(made, step)
        kept[name, database_kind] = made
    return kept[name, database_kind]


@pytest.mark.parametrize(
    ("name", "case"),
    [
        pytest.param(name, case, id=f"{name}: {case['case']}")
        for name, file in FILES.items()
        for case in file["attempts"]
    ],
)
def test_case(performance: Performance, catalogue: Catalogue, name: str, case: Mapping[str, Any]) -> None:
    for step in case.get("before", ()):
        _done(performance, StoryStep.model_validate(step))
    before = ledgers(performance)
    deed = do(performance, StoryStep.model_validate(_written(case["step"])))
    performance.jobs.drain()
    assert [f"{one.code} {one.where}" for one in deed.problems] == [
        f"{one['code']} {one.get('at', '')}" for one in case["refused"]
    ]
    for one, wanted in zip(deed.problems, case["refused"], strict=True):
        for language in ("zh", "en"):
            said = sentence(catalogue, one, language)
            assert wanted[language] in said, said
    assert ledgers(performance) == before


@pytest.mark.parametrize("name", FILES)
def test_the_ledgers_are_sound_after_all_attempts(performance: Performance, name: str) -> None:
    assert verify(performance.house, performance.workspace.key).differences == ()


def sentence(catalogue: Catalogue, one: Problem, language: str) -> str:
    """The sentence and what to do about it."""
    return " ".join(part for part in catalogue.text(one, language) if part)


def ledgers(performance: Performance) -> Mapping[str, list[tuple[Any, ...]]]:
    """Every row the ledgers keep."""
    with read(performance.workspace.database) as connection:
        return {
            table: sorted((tuple(row) for row in connection.execute(sa.text(f"SELECT * FROM {table}"))), key=repr)
            for table in TABLES
        }


def _done(performance: Performance, step: StoryStep) -> None:
    deed = do(performance, step)
    performance.jobs.drain()
    assert deed.problems == ()


def _written(raw: Any) -> Any:
    if isinstance(raw, dict):
        return {key: _written(value) for key, value in raw.items()}
    if isinstance(raw, list):
        return [_written(value) for value in raw]
    return LONG if raw == "LONG" else raw
