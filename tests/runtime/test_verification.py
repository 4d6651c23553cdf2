"""``verify`` is clean after honest work and names whatever somebody changed behind the product's back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from runtime.bundles import bundle_in
from runtime.messages.catalogue import Catalogue
from runtime.storage import files
from runtime.storage.database import write
from runtime.stories import Theatre
from runtime.stories.deeds import do, give
from runtime.stories.theatre import Performance
from runtime.verification import verify
from tests.stories.apps import ROOT

AT = datetime(2026, 1, 5, 9)
LENDING = ROOT / "tests" / "outsider" / "tool_lending"
FORGED = """
insert into sys_balance
    (key, ledger, grain, product, warehouse, bin, lot, serial, status, owner, partner, subject, element, ref_form,
     ref_document, ref_line, move, month, quantity, value, entries, head, version)
values
    ('gone|place|p1', 'gone', 'place', 1, 0, 0, '', '', '', 0, 0, 0, '', '', 0, 0, '', 0, 5, 5, 0, '', 1)
"""
# What somebody did to the database, and the codes verify gives.
TAMPERING = [
    ("update sys_balance set quantity = quantity + 1 where ledger = 'stock' and grain = 'place'", {"verify.balance"}),
    ("delete from sys_balance where ledger = 'stock' and grain = 'cost'", {"verify.balance"}),
    (FORGED, {"verify.balance"}),
    ("update t_request set exec_status = 'partial'", {"verify.exec_status"}),
    ("update sys_link set state = 'open' where target_form = 'loan'", {"verify.link_state", "verify.exec_status"}),
    ("update t_giveback set doc_status = 'draft'", {"verify.entries_left", "verify.link_state"}),
    (
        "delete from t_giveback__lines; delete from t_giveback",
        {"verify.foreign_entries", "verify.link_left", "verify.number_gap"},
    ),
    ("update sys_counter set value = value + 1 where name = 'number:loan'", {"verify.number_gap"}),
    ("update sys_counter set value = 0 where name = 'number:loan'", {"verify.number_ahead"}),
    ("drop trigger sys_history_delete; delete from sys_history where form = 'loan'", {"verify.no_history"}),
    (
        "drop trigger sys_snapshot_update; update sys_snapshot set files = replace(files, 'n: 1.0.0', 'n: 1.0.1')",
        {"verify.snapshot_changed"},
    ),
    (
        "insert into sys_file values ('0123456789abcdef0123456789abcdef', 'a', 'text/plain', 1, '', 1, '2026-01-01')",
        {"verify.file_gone"},
    ),
]


@pytest.fixture(scope="module")
def lent(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Iterator[Performance]:
    """A workspace in which tools were bought, asked for, lent and partly returned."""
    with Theatre(bundle_in(LENDING), catalogue, tmp_path_factory.mktemp("lending"), LENDING / "tests") as theatre:
        story = theatre.bundle.stories["borrow_and_return"]
        with theatre.open(story) as performance:
            give(performance)
            for step in story.steps:
                do(performance, step)
                performance.jobs.drain()
            yield performance


@pytest.fixture
def tampered(lent: Performance) -> Iterator[Performance]:
    """The workspace, put back afterwards as it was."""
    file = Path(str(lent.workspace.database.engine.url.database))
    lent.workspace.database.close()
    kept = file.read_bytes()
    yield lent
    lent.workspace.database.close()
    for left in file.parent.glob(f"{file.name}-*"):
        left.unlink()
    file.write_bytes(kept)


def test_honest_work_is_clean(lent: Performance) -> None:
    report = verify(lent.house, lent.workspace.key)
    assert report.differences == ()
    assert (report.documents, report.entries, report.balances > 5) == (
        5,
        11,
        True,
    )


@pytest.mark.parametrize(
    ("statements", "expected"), TAMPERING, ids=[one[0].split(" where")[0][:50] for one in TAMPERING]
)
def test_tampering_is_named(tampered: Performance, statements: str, expected: set[str]) -> None:
    with write(tampered.workspace.database) as connection:
        for statement in statements.split(";"):
            assert connection.execute(sa.text(statement)).rowcount, statement
    assert {one.code for one in verify(tampered.house, tampered.workspace.key).differences} == expected


def test_bytes_of_a_file_are_those_that_came(tampered: Performance) -> None:
    place = tampered.workspace
    with write(place.database) as connection:
        kept = files.save(
            connection, place.files_dir, name="a.txt", media_type="text/plain", content=[b"paper"], creator=1, at=AT
        )
    assert verify(tampered.house, place.key).differences == ()
    files.path_of(place.files_dir, kept.id).write_bytes(b"vapor")
    assert [one.code for one in verify(tampered.house, place.key).differences] == ["verify.file_changed"]
