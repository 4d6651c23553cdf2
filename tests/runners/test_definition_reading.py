"""What the reader, the compiler and the schemas promise beyond refusing mistakes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from engine.actor import ADMIN_ROLE
from engine.built_in import built_in_kinds
from engine.definitions import source
from engine.definitions.app import AppSettings
from engine.definitions.bundle import bundle_of, read_bundle, reopened
from engine.definitions.compiled import AppBundle
from engine.definitions.file_kinds import kind_of
from engine.definitions.record_schema import record_schema
from engine.definitions.rule_tests import run_rule_tests
from engine.definitions.scopes import SETTING_TYPES
from engine.definitions.source import MAX_BYTES, MAX_NODES, Node, read
from engine.expressions import Checked
from runtime.commands import check
from runtime.definition_files import MAX_FILES, read_definition_files
from runtime.invocation import Invocation
from runtime.messages.catalogue import Catalogue
from runtime.settings import Settings
from tools.export_schemas import FOLDER as SCHEMAS
from tools.export_schemas import texts as schema_texts

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests" / "apps" / "tiny"
GOLDEN = ROOT / "tests" / "goldens" / "schema_1"
APPS = (TINY, GOLDEN, ROOT / "templates_catalog" / "general")


def bundle(folder: Path = TINY, **changed: str) -> AppBundle:
    files, problems = read_definition_files(folder)
    assert problems == ()
    made = bundle_of({**files, **changed}, built_in_kinds())
    assert isinstance(made, AppBundle), made
    return made


def code_of(text: str) -> str:
    result = read(text, "forms/x.yaml")
    assert isinstance(result, tuple)
    return result[0].code


def test_scalars_stay_what_the_author_wrote() -> None:
    node = read("a: NO\nb: 017\nc: 12:30\nd: 1e3\ne: 2026-01-05\nf: ''\ng: ~\nh:\ni: 'null'\n", "x.yaml")
    assert isinstance(node, Node)
    assert node.tree == {
        "a": "NO", "b": "017", "c": "12:30", "d": "1e3", "e": "2026-01-05", "f": "", "g": None, "h": None, "i": "null",
    }  # fmt: skip


def test_a_file_may_not_be_larger_than_five_megabytes() -> None:
    assert code_of("a: " + "x" * MAX_BYTES) == "definition.too_large"


def test_a_file_may_not_have_too_many_values() -> None:
    assert code_of("a: [" + "1," * (MAX_NODES + 1) + "]") == "definition.too_many_nodes"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: [1, 2", "definition.yaml_unclosed"),
        ("a: 'x", "definition.yaml_unclosed"),
        ("a: \ud800", "definition.bad_character"),
        ("a: " + "[" * 5000, "definition.too_deep"),
        ("a: &a [*a, *a]", "definition.anchor"),
        ("%YAML 9.9\n---\na: 1", "definition.yaml"),
    ],
)
def test_hostile_texts_are_refused(text: str, code: str) -> None:
    assert code_of(text) == code


def test_the_pure_reader_refuses_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "LOADER", yaml.SafeLoader)
    assert code_of("a: &a [*a]") == "definition.anchor"
    assert code_of("a: " + "[" * 5000) == "definition.too_deep"
    assert code_of("a:\n\t- 1") == "definition.yaml_character"
    node = read("a: {b: 'x y'}\n", "x.yaml")
    assert isinstance(node, Node)
    assert node.where(("a", "b"), offset=2) == "x.yaml:1:11"


def test_addresses_inside_a_value() -> None:
    node = read("a: |\n  ab\n  cd\nb: >-\n  aa\n  bb\nc: \"it's\"\nd: 'a''b'\n", "x.yaml")
    assert isinstance(node, Node)
    assert node.where(("a",), offset=3) == "x.yaml:3:3"
    assert node.where(("b",), offset=3) == "x.yaml:6:3"
    assert node.where(("c",), offset=3) == "x.yaml:7:8"
    assert node.where(("c", "nothing", 3)) == "x.yaml:7:1"
    assert node.where(("a",), key=True) == "x.yaml:1:1"


def test_a_form_has_room_for_a_few_hundred_fields() -> None:
    fields = "".join(f"  f{number}: {{type: text, label: {{zh: 字段{number}, en: F}}}}\n" for number in range(301))
    form = f"form: wide\nkind: master\nlabel: {{zh: 宽, en: Wide}}\nfields:\n{fields}"
    _, problems = read_bundle({**bundle().files, "forms/wide.yaml": form}, built_in_kinds())
    assert [each.where for each in problems if each.code == "definition.too_many_fields"] == ["forms/wide.yaml:4:1"]


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "forms").mkdir()
    (tmp_path / "forms" / "gb.yaml").write_bytes("label: 商品".encode("gb18030"))
    (tmp_path / "forms" / "big.yaml").write_bytes(b"a" * (MAX_BYTES + 1))
    (tmp_path / "forms" / "out.yaml").symlink_to("/etc/hostname")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.yaml").write_text("a: 1")
    files, problems = read_definition_files(tmp_path)
    assert dict(files) == {}
    assert [(each.code, each.where) for each in problems] == [
        ("definition.too_large", "forms/big.yaml:1:1"),
        ("definition.not_utf8", "forms/gb.yaml:1:1"),
        ("definition.outside_folder", "forms/out.yaml:1:1"),
    ]


def test_a_folder_of_too_many_files_is_not_read_to_its_end(tmp_path: Path) -> None:
    for number in range(MAX_FILES + 2):
        (tmp_path / f"f{number:05}.yaml").write_text("a: 1")
    files, problems = read_definition_files(tmp_path)
    assert len(files) == MAX_FILES
    assert [each.code for each in problems] == ["definition.too_many_files"]


def test_the_tiny_bundle_is_compiled_as_promised() -> None:
    made = bundle()
    stock_in = made.forms["stock_in"]
    assert stock_in.name == "t_stock_in"
    assert stock_in.tables["lines"].name == "t_stock_in__lines"
    assert [field.column for field in stock_in.all_fields()] == [
        "f_warehouse", "f_note", "f_total", "f_product", "f_qty", "f_price", "f_amount",
    ]  # fmt: skip
    assert stock_in.computed == ("lines.amount", "total")
    assert dict(stock_in.links) == {("lines", "product"): frozenset({"cost"})}
    amount = stock_in.field("lines.amount")
    assert amount is not None and isinstance(amount.formula, Checked)
    assert amount.formula.text == "round(qty * price, 2)"  # typed in Chinese, kept by key
    warehouse = stock_in.field("warehouse")
    assert warehouse is not None and warehouse.required is True and warehouse.visible is True
    assert [each.table for each in stock_in.checks] == ["lines"]
    assert set(stock_in.views) == {"drafts"}
    assert [each.definition.posting for each in made.postings["stock_in"]] == ["stock_in"]
    assert [rule.definition.rule for rule in made.ledger_rules] == ["safety_stock"]
    assert set(made.ledger_rules[0].placeholders) == {"product.name", "available", "product.safety_stock"}
    assert made.roles["keeper"].grants[1].forms == {"stock_in", "stock_out"}


def test_the_golden_bundle_joins_forms_and_processes() -> None:
    made = bundle(GOLDEN)
    order = made.forms["purchase_order"]
    assert [each.target for each in made.targets["purchase_order"]] == ["purchase_receipt"]
    receipt = made.forms["purchase_receipt"]
    assert receipt.sources[0].line_map.keys() == {"product", "qty", "unit", "price"}
    assert order.links[("lines", "product")] == {"base_unit", "last_price", "$units"}
    workflow = made.workflows["purchase_order"]
    assert set(workflow.conditions) == {(1, 0)}
    assert set(workflow.nodes) == {"purchase_mgr", "gm"}
    assert set(made.postings["purchase_order"][0].entries) == {"approve", "submit", "close"}
    assert [rule.definition.rule for rule in made.rules_by_form["purchase_order"]] == ["dear_line"]
    assert set(made.roles["buyer"].grants[0].rows) == {"purchase_order", "purchase_receipt"}
    assert made.cards[0].text == "doc_status == 'pending'"


def test_a_text_of_schema_1_still_gives_the_bundle_it_gave() -> None:
    """Documents are pinned to the hash of their bundle, so reading must never come to another one."""
    recorded = (ROOT / "tests" / "goldens" / "schema_1.hash").read_text("ascii").strip()
    assert bundle(GOLDEN).hash == recorded


def test_the_hash_knows_content_not_layout() -> None:
    original = bundle()
    text = original.files["roles/keeper.yaml"]
    assert bundle(**{"roles/keeper.yaml": f"# a comment\n\n{text}"}).hash == original.hash
    assert bundle(**{"roles/keeper.yaml": text.replace("仓管员", "库管")}).hash != original.hash


def test_rule_tests_run_on_a_published_bundle() -> None:
    assert list(run_rule_tests(bundle())) == []


def test_settings_in_expressions_are_the_settings_there_are() -> None:
    assert SETTING_TYPES.keys() == AppSettings.model_fields.keys()


def test_schemas_on_disk_are_those_of_the_models() -> None:
    """Run ``python -m tools.export_schemas`` after changing a definition model or a field type."""
    assert {path.name: path.read_text("utf-8") for path in SCHEMAS.glob("*.json")} == schema_texts()


@pytest.mark.parametrize("app", APPS, ids=lambda path: path.name)
def test_schemas_admit_every_file_of_an_app(app: Path) -> None:
    schemas = _validators()
    for path, text in read_definition_files(app)[0].items():
        kind = kind_of(path)
        if kind is not None:
            errors = schemas[kind.key].iter_errors(_json(text))
            assert [f"{path} {list(each.absolute_path)} {each.message}" for each in errors] == []


def test_schemas_refuse_what_the_reader_refuses() -> None:
    form = _validators()["form"]
    text = bundle().files["forms/product.yaml"]
    assert not form.is_valid(_json(text.replace("max_length: 40", "digits: 40")))
    assert not form.is_valid(_json(text.replace("type: price", "type: prise")))
    assert not form.is_valid(_json(text.replace("kind: master", "kind: mastr")))


@cache
def _validators() -> Mapping[str, Draft202012Validator]:
    return {name.partition(".")[0]: _validator(json.loads(text)) for name, text in schema_texts().items()}


def _validator(schema: Mapping[str, Any]) -> Draft202012Validator:
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def _json(text: str) -> Any:
    """The text as an editor that knows YAML 1.2 hands it to a schema."""

    def scalar(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: scalar(each) for key, each in value.items()}
        if isinstance(value, list):
            return [scalar(each) for each in value]
        if value in ("true", "false"):
            return value == "true"
        return float(value) if re.fullmatch(r"-?\d+(\.\d+)?", value) else value

    return scalar(yaml.load(text, Loader=yaml.CBaseLoader))


def test_records_are_judged_by_the_schema_of_their_form() -> None:
    form = bundle().forms["stock_in"]
    draft, whole = _validator(record_schema(form)), _validator(record_schema(form, complete=True))
    record = {"warehouse": 1, "biz_date": "2026-01-05", "lines": [{"product": 1, "qty": "10", "price": "2.5"}]}
    assert draft.is_valid(record) and whole.is_valid(record)
    assert draft.is_valid({"note": None})
    assert not whole.is_valid({"warehouse": 1})
    assert not whole.is_valid({**record, "lines": []})
    assert not draft.is_valid({**record, "colour": "red"})
    assert not draft.is_valid({**record, "lines": [{"qty": 10.5}]})


def test_the_command_prints_addresses_and_exits_with_1(tmp_path: Path, catalogue: Catalogue) -> None:
    for path, text in bundle().files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text.replace("if: qty <= 0", "if: qyt <= 0"), "utf-8")
    wrong = _run([str(tmp_path), "--lang", "en"], catalogue)
    assert wrong.exit_code == 1
    first = wrong.stdout.splitlines()[0]
    assert re.match(
        r"forms/stock_in\.yaml:46:9 expression\.unknown_name There is no .*qyt.* Did you mean qty\?$", first
    )
    assert "是不是 qty？" in _run([str(tmp_path), "--lang", "zh"], catalogue).stdout
    assert _run([str(TINY)], catalogue).exit_code == 0
    assert _run([str(tmp_path / "nothing")], catalogue).exit_code == 1


def test_warnings_fail_only_a_strict_check(tmp_path: Path, catalogue: Catalogue) -> None:
    for path, text in bundle().files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text.replace("{zh: 规格型号, en: Specification}", "规格型号"), "utf-8")
    assert _run([str(tmp_path)], catalogue).exit_code == 0
    assert _run([str(tmp_path), "--strict"], catalogue).exit_code == 1


def _run(arguments: list[str], catalogue: Catalogue) -> Any:
    app = typer.Typer()
    app.command()(check.run)
    return CliRunner().invoke(app, arguments, obj=Invocation(settings=Settings(), catalogue=catalogue))


def test_the_administrator_needs_no_definition() -> None:
    made = bundle(
        **{"rules/safety_stock.yaml": bundle().files["rules/safety_stock.yaml"].replace("keeper", ADMIN_ROLE)}
    )
    assert made.rules.keys() == {"safety_stock"}


def test_a_published_bundle_opens_even_if_it_would_not_pass_today() -> None:
    original = bundle(GOLDEN)
    again = reopened(original.files, built_in_kinds(), original.hash)
    assert isinstance(again, AppBundle)
    assert (again.hash, dict(again.files), again.forms.keys()) == (original.hash, original.files, original.forms.keys())
    assert again.stories == {}
    role = original.files["roles/buyer.yaml"].replace("cost: write", "kost: write")
    unread = {**original.files, "roles/buyer.yaml": role}
    assert isinstance(bundle_of(unread, built_in_kinds()), tuple)
    assert isinstance(reopened(unread, built_in_kinds(), "0" * 64), AppBundle)
