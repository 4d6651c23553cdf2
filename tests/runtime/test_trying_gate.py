"""Publishing and red tests: refused, unless an administrator says why; what was said stays in the audit log."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.actor import Actor
from engine.built_in import built_in_kinds
from engine.definitions.bundle import RED_TESTS, read_bundle
from engine.definitions.compiled import AppBundle
from engine.problems import Refused
from runtime.definition_files import read_definition_files
from runtime.publishing import Despite, despite_tests, publish
from runtime.storage import audit
from runtime.storage.database import read
from tests.houses import WORKSPACE, Home, codes, make_home

TINY = Path(__file__).parents[1] / "apps" / "tiny"
RULE = "rules/safety_stock.yaml"
Run = Callable[..., tuple[int, str, str]]


def red() -> AppBundle:
    """The tiny app with a rule that does not do what its tests say."""
    files, _ = read_definition_files(TINY)
    text = files[RULE].replace("available < product", "available <= product")
    strict, problems = read_bundle({**files, RULE: text}, built_in_kinds())
    assert strict is None and {each.code for each in problems} & RED_TESTS
    bundle, _ = read_bundle({**files, RULE: text}, built_in_kinds(), despite_tests=True)
    assert bundle is not None
    return bundle


@pytest.fixture
def home(tmp_path: Path, house_url: str | None) -> Home:
    return make_home(tmp_path, TINY, house_url)


def test_red_tests_are_not_published_by_accident(home: Home) -> None:
    database = home.house.workspace(WORKSPACE).database
    before = home.house.published(home.house.workspace(WORKSPACE)).bundle.hash
    with pytest.raises(Refused) as refused:
        publish(database, red(), "li", home.clock())
    assert codes(refused.value) == ["publish.red_tests", "definition.rule_fired"]
    assert refused.value.problems[1].where.startswith(RULE)
    assert home.house.published(home.house.workspace(WORKSPACE)).bundle.hash == before


def test_an_override_is_kept_with_its_reason(home: Home) -> None:
    database, bundle = home.house.workspace(WORKSPACE).database, red()
    admin = home.door("admin").actor
    done = publish(database, bundle, "li", home.clock(), despite=despite_tests(admin, " 盘点后再改测试 "))
    assert done.hash == bundle.hash
    with read(database) as connection:
        row = audit.latest(connection)[0]
    assert (row["event"], row["user"]) == ("publish.despite_tests", admin.user)
    assert row["detail"]["reason"] == "盘点后再改测试" and row["detail"]["snapshot"] == bundle.hash  # type: ignore[index]
    assert [one.split()[1] for one in row["detail"]["tests"]] == ["definition.rule_fired"]  # type: ignore[index]


def test_a_green_bundle_leaves_no_line(home: Home) -> None:
    database = home.house.workspace(WORKSPACE).database
    bundle = home.house.published(home.house.workspace(WORKSPACE)).bundle
    publish(database, bundle, "li", home.clock(), despite=Despite(user=1, reason="不需要"))
    with read(database) as connection:
        assert "publish.despite_tests" not in {row["event"] for row in audit.latest(connection)}


def test_who_may_override_and_what_it_takes() -> None:
    with pytest.raises(Refused) as refused:
        despite_tests(Actor(user=1, name="小李", roles=frozenset({"keeper"})), "急")
    assert (refused.value.kind, codes(refused.value)) == ("forbidden", ["publish.not_yours"])
    with pytest.raises(Refused) as refused:
        despite_tests(Actor(user=1, name="王总", roles=frozenset({"admin"})), "  ")
    assert codes(refused.value) == ["publish.reason_needed"]


def test_the_command_asks_for_a_person_and_a_reason(stockloom: Run, tmp_path: Path) -> None:
    app = Path(shutil.copytree(TINY, tmp_path / "tiny"))
    go = ("publish", str(app), "--workspace", "acme", "--lang", "en")
    assert stockloom(*go)[0] == 0
    for login, role in (("wang", "admin"), ("li", "keeper")):
        add = ("user", "add", login, "--workspace", "acme", "--password", "long enough", "--role", role)
        assert stockloom(*add)[0] == 0
    rule = app / RULE
    rule.write_text(rule.read_text("utf-8").replace("available < product", "available <= product"), "utf-8")
    code, _, complaint = stockloom(*go)
    assert code == 1 and "definition.rule_fired" in complaint
    for more, why in (
        (("--despite-tests", "急"), "publish.nobody"),
        (("--despite-tests", "急", "--as", "li"), "publish.not_yours"),
        (("--despite-tests", " ", "--as", "wang"), "publish.reason_needed"),
    ):
        code, _, complaint = stockloom(*go, *more)
        assert code == 1 and why in complaint
    code, said, _ = stockloom(*go, "--despite-tests", "急", "--as", "wang")
    assert code == 0 and "definition.rule_fired" in said, "and what is red is said again"
    new = ("publish", str(app), "--workspace", "new", "--despite-tests", "急", "--as", "wang")
    code, _, complaint = stockloom(*new)
    assert code == 1 and "publish.nobody" in complaint and not (tmp_path / "data" / "new").exists()
