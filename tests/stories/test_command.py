"""``stockloom test``: one line per story, the differences of a failed one, the exit code, and nothing left behind."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.stories.apps import ROOT

TINY = ROOT / "tests" / "apps" / "tiny"
Run = Callable[..., tuple[int, list[str], str]]


@pytest.fixture
def tested(stockloom: Callable[..., tuple[int, str, str]]) -> Run:
    """``stockloom test`` with these arguments: exit code, lines of standard output, standard error."""

    def run(*arguments: str) -> tuple[int, list[str], str]:
        code, said, complaint = stockloom("test", *arguments)
        return code, said.splitlines(), complaint

    return run


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """The tiny app with a second story that does not come true."""
    copy = Path(shutil.copytree(TINY, tmp_path / "tiny"))
    story = (copy / "tests" / "receive_and_issue.yaml").read_text("utf-8")
    wrong = story.replace("story: receive_and_issue", "story: wrong").replace("on_hand: 7, value: 17.5", "on_hand: 8")
    (copy / "tests" / "wrong.yaml").write_text(wrong, "utf-8")
    return copy


def test_a_failed_story_tells_its_step_and_the_difference(tested: Run, app: Path, tmp_path: Path) -> None:
    code, told, summary = tested(str(app), "--lang", "en")
    assert code == 1
    assert [line.split()[:2] for line in told if line.startswith("[")] == [
        ["[passed]", "receive_and_issue"],
        ["[failed]", "wrong"],
    ]
    assert told[2:] == [
        "    Step 2 of 3: as keeper, create stock_out, do submit",
        "      stock.P1.W1.on_hand story.differs Expected 8, got 7.",
    ]
    assert summary == "The 2 tests beside rules and workflows passed.\n2 stories acted out, 1 failed.\n"
    assert not (tmp_path / "data").exists(), "stories never touch the installation's data"


def test_one_story_may_be_chosen(tested: Run, app: Path) -> None:
    code, told, summary = tested(str(app), "--story", "receive_and_issue")
    assert (code, len(told), summary) == (0, 1, "规则和流程自带的 2 个测试全部通过。\n运行了 1 个用例，0 个失败。\n")
    code, told, complaint = tested(str(app), "--story", "receive_and_isue")
    assert (code, told) == (1, [])
    assert "story.unknown" in complaint
    assert "receive_and_issue" in complaint


def test_mistakes_in_definitions_come_first(tested: Run, app: Path) -> None:
    (app / "tests" / "wrong.yaml").write_text(
        "story: wrong\nlabel: 错\nsteps: [{as: nobody, create: stok_in}]\n", "utf-8"
    )
    code, told, complaint = tested(str(app))
    assert (code, told) == (1, [])
    assert "tests/wrong.yaml:3:" in complaint
    assert tested(str(app / "missing"))[0] == 1


def test_a_database_that_is_none_is_refused(tested: Run, app: Path) -> None:
    code, _, complaint = tested(str(app), "--database", "mysql://somewhere")
    assert (code, complaint.split()[:2]) == (1, ["--database", "setting.not_postgres"])


@pytest.mark.postgres
def test_a_server_is_left_as_it_was(tested: Run, fresh_postgres_url: str) -> None:
    def schemas() -> set[str]:
        with psycopg.connect(fresh_postgres_url.replace("+psycopg", "")) as connection:
            return {str(row[0]) for row in connection.execute("select nspname from pg_namespace")}

    before = schemas()
    code, told, _ = tested(str(TINY), "--database", fresh_postgres_url)
    assert (code, len(told)) == (0, 1)
    assert schemas() == before
