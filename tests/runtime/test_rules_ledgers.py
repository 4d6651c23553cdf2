"""Rules on ledgers in the general template, on both databases: stock with look-ups over entries, and open balances."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from engine.built_in import built_in_kinds
from engine.definitions.bundle import bundle_of
from engine.definitions.compiled import AppBundle
from runtime.definition_files import read_definition_files
from runtime.publishing.publish import publish
from runtime.ruling.outside import imported
from runtime.storage.database import in_transaction
from runtime.submit import unit_of
from tests.houses import CATALOG, WORKSPACE, Home, do, furnished, make_home
from tests.runtime.flow_house import Firm
from tests.runtime.rule_house import runs, titles

OWN = {
    "rules/moved.yaml": """
        rule: moved
        label: {zh: 动过, en: Moved}
        when: {ledger: stock}
        lookups:
          got: {ledger: stock, where: "product == row and quantity > 0 and not cancelled", take: sum,
               of: quantity, days: 30}
          first: {ledger: stock, where: "product == row and warehouse.code == 'W1'", take: latest, of: biz_date}
          times: {ledger: stock, where: "product == row"}
        if: got >= 5 and not empty(first)
        then: [{message: {to: {role: admin}, title: {zh: "{product.name} {got} {times}", en: Moved}}}]
    """,
    "rules/ordered_much.yaml": """
        rule: ordered_much
        label: {zh: 在途多, en: Much on the way}
        when: {ledger: supply}
        if: quantity > 5 and warehouse.code == 'W1'
        then: [{message: {to: {role: admin}, title: {zh: "在途 {product.name} {quantity}", en: On the way}}}]
    """,
    "rules/brought_in.yaml": """
        rule: brought_in
        label: {zh: 导入完, en: Brought in}
        when: {form: product, imported: true}
        if: imported.failed > 0
        then: [{message: {to: {role: admin}, title: {zh: "{imported.rows} {imported.failed}", en: Brought in}}}]
    """,
}


def house_with_rules(folder: Path, url: str | None) -> Home:
    home = make_home(folder, CATALOG / "general", url)
    files, _ = read_definition_files(CATALOG / "general")
    kept = {name: text for name, text in files.items() if not name.startswith(("rules/", "workflows/", "tests/"))}
    bundle = bundle_of({**kept, **{name: dedent(text).strip() + "\n" for name, text in OWN.items()}}, built_in_kinds())
    assert isinstance(bundle, AppBundle), [(one.code, one.where, dict(one.params)) for one in bundle]
    home.house.apps.keep(bundle)
    publish(home.house.workspace(WORKSPACE).database, bundle, "test", home.clock())
    return home


def test_rules_on_ledgers_see_figures_and_entries(tmp_path: Path, house_url: str | None) -> None:
    home = house_with_rules(tmp_path, house_url)
    house = Firm(home)
    door = furnished(home)

    def receive(quantity: int) -> int:
        lines = [{"product": "A032", "qty": quantity, "cost_price": 2}, {"product": "A033", "qty": 1, "cost_price": 2}]
        return do(door, "other_receipt", "approve", {"warehouse": "W1", "lines": lines}).document

    receive(3)
    assert runs(house) == []
    document = receive(4)
    do(door, "other_receipt", "unapprove", document=document, reason="错了")
    home.jobs.drain()
    assert titles(house) == ["螺丝 7 2"]
    order = {"supplier": "S1", "warehouse": "W1", "lines": [{"product": "A033", "qty": 9, "price": 1}]}
    do(door, "purchase_order", "approve", order, confirmed=True, reason="x")
    home.jobs.drain()
    assert titles(house)[1:] == ["在途 螺栓 9"]


def test_the_end_of_an_import_wakes_rules(tmp_path: Path, house_url: str | None) -> None:
    home = house_with_rules(tmp_path, house_url)
    house, door = Firm(home), home.everybody()
    context = home.house.context(door.workspace, door.published, door.actor)

    def ended(failed: int) -> None:
        rows = in_transaction(
            door.workspace.database,
            lambda connection: imported(unit_of(context, connection), "product", created=3, updated=1, failed=failed),
        )
        home.house.hand_over(door.workspace, rows)

    ended(0)
    ended(2)
    home.jobs.drain()
    assert titles(house) == ["6 2"]
