"""Whatever is done to the ledgers behind the product's back is found: by ``verify`` and by a program that knows nothing
of the product. What is honest is clean for both, on either database, and dumps alike."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runtime.bundles import bundle_in
from runtime.declared import declared_ledgers
from runtime.dumping import dump
from runtime.messages.catalogue import Catalogue
from runtime.sealing import seal
from runtime.storage.database import write
from runtime.stories import Theatre
from runtime.stories.deeds import do, give
from runtime.stories.expectations import reads_only
from runtime.stories.theatre import Performance
from runtime.verification import verify
from tests.runtime.ledger_tampering import TAMPERINGS, free
from tests.stories.apps import ROOT
from tests.stories.test_template_stories import address

GENERAL = ROOT / "templates_catalog" / "general"
CHECKER = ROOT / "tools" / "check_ledger.py"
LONGEST_CHECKER = 300
METHODS = ("acceptance_07_back_dating", "acceptance_07_fifo", "transfer_and_other")
HONEST = (*METHODS, "conversion_layers", "lots_and_bins", "negative_stock", "red_flush_all", "return_difference")


@contextmanager
def performed(theatre: Theatre, name: str) -> Iterator[tuple[Performance, str]]:
    """The workspace after a story, sealed in its middle and at its end; and the last digest."""
    story = theatre.bundle.stories[name]
    with theatre.open(story) as performance:
        give(performance)
        made = None
        for number, step in enumerate(story.steps):
            if not reads_only(step):
                do(performance, step)
                performance.jobs.drain()
            if number in (len(story.steps) // 2, len(story.steps) - 1):
                made = seal(performance.workspace.database, performance.clock())
        assert made is not None
        yield performance, made.digest


def checked(performance: Performance, folder: Path, anchor: str = "") -> tuple[int, str]:
    """Exit code and words of the checker over a dump."""
    dump(performance.house, performance.workspace.key, folder)
    command = [sys.executable, "-I", str(CHECKER), str(folder), *([anchor] if anchor else [])]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.stderr == ""
    return ended.returncode, ended.stdout


@pytest.fixture(scope="module")
def theatre_on(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue
) -> Iterator[Callable[[str], Theatre]]:
    """The theatre of the general template on a database."""
    bundle, kept = bundle_in(GENERAL), {}

    def theatre(database: str) -> Theatre:
        if database not in kept:
            url = address(request.getfixturevalue("postgres_url")) if database == "postgres" else None
            kept[database] = Theatre(bundle, catalogue, tmp_path_factory.mktemp(database), GENERAL / "tests", url)
        return kept[database]

    yield theatre
    for each in kept.values():
        each.close()


@pytest.mark.parametrize("name", HONEST)
def test_honest_work_is_clean_for_both(
    theatre_on: Callable[[str], Theatre], database_kind: str, name: str, tmp_path: Path, catalogue: Catalogue
) -> None:
    with performed(theatre_on(database_kind), name) as (performance, anchor):
        report = verify(performance.house, performance.workspace.key, anchor)
        code, said = checked(performance, tmp_path / "dump", anchor)
    assert [catalogue.line(one, "en") for one in report.differences] == []
    assert report.entries > 3
    assert (code, said) == (0, f"{report.entries} entries, 0 findings\n")


@pytest.mark.postgres
def test_dumps_are_equal_on_both_databases(postgres_url: str, tmp_path: Path, catalogue: Catalogue) -> None:
    bundle, texts = bundle_in(GENERAL), []
    for database, url in (("sqlite", None), ("postgres", address(postgres_url))):
        place = tmp_path / f"{database}_data"
        # Theatres of their own: ids go on where the story before ended.
        with (
            Theatre(bundle, catalogue, place, GENERAL / "tests", url) as theatre,
            performed(theatre, "transfer_and_other") as (performance, _),
        ):
            dump(performance.house, performance.workspace.key, tmp_path / database)
        texts.append({file.name: file.read_text("utf-8") for file in sorted((tmp_path / database).iterdir())})
    assert texts[0] == texts[1]
    assert len(texts[0]["entries.csv"].splitlines()) > 3


@pytest.fixture(scope="module", params=METHODS[:2])
def posted(
    request: pytest.FixtureRequest, theatre_on: Callable[[str], Theatre]
) -> Iterator[tuple[Performance, str, bytes]]:
    """The workspace after a story on SQLite, and its file as it was."""
    with performed(theatre_on("sqlite"), request.param) as (performance, anchor):
        yield performance, anchor, file_of(performance).read_bytes()


def file_of(performance: Performance) -> Path:
    """The database file, with nothing left beside it."""
    database = performance.workspace.database
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return Path(str(database.engine.url.database))


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_found_by_both(posted: tuple[Performance, str, bytes], name: str, tmp_path: Path) -> None:
    performance, anchor, kept = posted
    tampering = TAMPERINGS[name]
    try:
        house = performance.house
        declared = dict(declared_ledgers(house.published(performance.workspace).bundle))
        with write(performance.workspace.database) as connection:
            free(connection)
            tampering.change(connection, declared)
        report = verify(house, performance.workspace.key, anchor if tampering.anchored else None)
        code, said = checked(performance, tmp_path / "dump", anchor if tampering.anchored else "")
    finally:
        file_of(performance).write_bytes(kept)
    assert tampering.codes <= {one.code for one in report.differences}
    assert code == 1
    assert tampering.findings <= {line.split(" ")[0] for line in said.splitlines()}


def test_the_checker_is_short_and_knows_nothing_of_the_product() -> None:
    text = CHECKER.read_text("utf-8")
    assert len(text.splitlines()) <= LONGEST_CHECKER
    imported = {line.split()[1] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert {name.split(".")[0] for name in imported} <= set(sys.stdlib_module_names)
