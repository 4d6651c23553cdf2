"""Amounts carry the sign of the company's currency, unless their field says otherwise."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.fieldtypes.money import currency_sign
from tests.contracts.storage_contract import bundle_from, changed, tiny_files

PRODUCT = "forms/product.yaml"
SPEC = "  spec: {type: text, label: {zh: 规格型号, en: Specification}}\n"
AMOUNTS = """\
  plain: {type: money, label: {zh: 金额, en: Amount}}
  worked_out: {type: formula, result: money, formula: "1 + 1", label: {zh: 合计, en: Total}}
  points: {type: money, symbol: "", label: {zh: 积分, en: Points}}
  dollars: {type: formula, result: money, symbol: "US$", formula: "1 + 1", label: {zh: 美元, en: Dollars}}
"""


@pytest.mark.parametrize(
    ("currency", "decimals", "signed", "plain"),
    [
        ("CNY", 2, "-¥1,234.50", "1,234.50"),
        ("USD", 2, "-$1,234.50", "1,234.50"),
        ("JPY", 0, "-JPY 1,235", "1,235"),
    ],
)
def test_the_sign_of_an_amount(currency: str, decimals: int, signed: str, plain: str) -> None:
    shown = {"plain": signed, "worked_out": signed, "points": f"-{plain}", "dollars": f"-US${plain}"}
    settings = f"settings:\n  currency: {currency}\n  money_decimals: {decimals}\n"
    files = changed(tiny_files(), PRODUCT, (SPEC, SPEC + AMOUNTS))
    fields = bundle_from(changed(files, "app.yaml", ("settings:\n", settings))).forms["product"].fields
    for language in ("zh", "en"):
        found = {
            key: fields[key].type.format(Decimal("-1234.50"), fields[key].options, language)  # type: ignore[arg-type]
            for key in shown
        }
        assert found == shown


def test_no_currency_no_sign() -> None:
    assert currency_sign("") == ""
