"""From one bundle to the next: changes to the tables, as data; and storage builds just what they speak of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.built_in import built_in_kinds
from engine.definitions.bundle import bundle_of
from engine.definitions.compiled import AppBundle
from engine.evolution import AddTable, Change, DropTable, changes, shapes
from engine.problems import Severity
from runtime.definition_files import read_definition_files
from runtime.messages.catalogue import Catalogue
from runtime.storage.app_tables import app_tables, shortened

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests" / "apps" / "tiny"
CASES = yaml.safe_load((ROOT / "tests" / "cases" / "evolution" / "changes.yaml").read_text("utf-8"))
APPS = (TINY, ROOT / "tests" / "goldens" / "schema_1", ROOT / "templates_catalog" / "general")


def bundle(files: Mapping[str, str]) -> AppBundle:
    made = bundle_of(files, built_in_kinds())
    assert isinstance(made, AppBundle), made
    return made


def changed(case: Mapping[str, Any]) -> dict[str, str]:
    files = dict(read_definition_files(TINY)[0])
    for edit in case.get("edit", ()):
        assert edit["from"] in files[edit["file"]], edit
        files[edit["file"]] = files[edit["file"]].replace(edit["from"], edit["to"], 1)
    for path in case.get("remove", ()):
        del files[path]
    return files | case.get("add", {})


def line(change: Change, catalogue: Catalogue) -> str:
    told = change.describe()
    assert (told.severity is Severity.WARNING) == change.loses_data
    assert catalogue.text(told, "en")[0]
    mark = " lost" if change.loses_data else "" if change.touches_storage else " free"
    return f"{told.where} {told.code.removeprefix('evolution.')}{mark}: {catalogue.text(told, 'zh')[0]}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_case(case: Mapping[str, Any], catalogue: Catalogue) -> None:
    old, new = bundle(read_definition_files(TINY)[0]), bundle(changed(case))
    assert sorted(line(each, catalogue) for each in changes(old, new)) == sorted(case["expect"])


def test_what_stands_in_the_way_goes_first_and_what_loses_data_last() -> None:
    case = next(case for case in CASES if case["case"] == "a line table and a form come and go")
    found = changes(bundle(read_definition_files(TINY)[0]), bundle(changed(case)))
    assert [type(each) for each in found] == [AddTable, AddTable, DropTable, DropTable]
    assert [each.table for each in found[2:]] == ["t_stock_out__lines", "t_stock_out"]  # a line points at its header


@pytest.mark.parametrize("app", APPS, ids=lambda path: path.name)
def test_an_app_republished_changes_nothing(app: Path) -> None:
    made = bundle(read_definition_files(app)[0])
    assert changes(made, made) == ()
    assert {each.table for each in changes(None, made)} == set(shapes(made))
    assert all(isinstance(each, AddTable) for each in changes(None, made))


@pytest.mark.parametrize("app", APPS, ids=lambda path: path.name)
def test_storage_builds_the_shapes_that_changes_speak_of(app: Path) -> None:
    made = bundle(read_definition_files(app)[0])
    tables = app_tables(made).metadata.tables
    assert set(tables) == {shortened(name) for name in shapes(made)}
    for name, shape in shapes(made).items():
        table = tables[shortened(name)]
        own = {column.name for column in table.columns if column.name.startswith("f_")}
        assert own == set(shape.fields)
        for unique, wanted in ((True, shape.unique), (False, shape.indexes)):
            built = {tuple(c.name for c in each.columns) for each in table.indexes if each.unique is unique}
            assert built == wanted, name


def test_every_change_has_words_in_both_languages(catalogue: Catalogue) -> None:
    source = (ROOT / "engine" / "evolution" / "changes.py").read_text("utf-8")
    used = set(re.findall(r'"(evolution\.[a-z_]+)"', source))
    for language in ("zh", "en"):
        assert {code for code in catalogue.problems[language] if code.startswith("evolution.")} == used
