"""Every story of every app, on SQLite and on PostgreSQL, through the runner of ``stockloom test``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from runtime.messages.catalogue import Catalogue
from runtime.stories import Theatre, perform
from runtime.stories.report import lines
from tests.stories.apps import ROOT, app_folders, bundle_of_app, story_names

STORIES = [
    pytest.param(folder, name, id=f"{folder.relative_to(ROOT)}:{name}")
    for folder in app_folders()
    for name in story_names(folder)
]
FEWEST_OF_GENERAL = 11


@pytest.fixture(scope="module")
def theatre_of(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue
) -> Iterator[Callable[[Path, str], Theatre]]:
    """The theatre of an app on a database; one of each is kept for the whole module."""
    kept: dict[tuple[Path, str], Theatre] = {}
    with ExitStack() as stack:

        def theatre(folder: Path, database: str) -> Theatre:
            if (folder, database) not in kept:
                url = address(request.getfixturevalue("postgres_url")) if database == "postgres" else None
                place = tmp_path_factory.mktemp("theatre")
                kept[folder, database] = stack.enter_context(
                    Theatre(bundle_of_app(folder), catalogue, place, folder / "tests", url)
                )
            return kept[folder, database]

        yield theatre


@pytest.mark.parametrize(("folder", "name"), STORIES)
def test_story(
    theatre_of: Callable[[Path, str], Theatre], database_kind: str, folder: Path, name: str, catalogue: Catalogue
) -> None:
    theatre = theatre_of(folder, database_kind)
    result = perform(theatre, theatre.bundle.stories[name])
    assert result.passed, "\n" + "\n".join(lines(result, catalogue, "en"))


def test_the_catalog_tells_stories() -> None:
    assert len(story_names(ROOT / "templates_catalog" / "general")) >= FEWEST_OF_GENERAL


def address(given: str) -> str:
    """The test server as SQLAlchemy reads it."""
    info = conninfo_to_dict(given)
    where = f"/{info.get('dbname') or 'postgres'}"
    host = str(info.get("host", ""))
    user = info.get("user", "postgres")
    password = f":{info['password']}" if info.get("password") else ""
    if host.startswith("/"):
        return f"postgresql+psycopg://{user}{password}@{where}?host={host}"
    return f"postgresql+psycopg://{user}{password}@{host}:{info.get('port', 5432)}{where}"
