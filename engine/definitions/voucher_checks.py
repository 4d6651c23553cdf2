"""Checks of vouchers: accounts are listed, ledgers exist, a rule books or skips."""

from __future__ import annotations

from collections.abc import Iterator

from engine.definitions.file_kinds import VOUCHERS
from engine.definitions.load import Loaded
from engine.definitions.process_checks import ledger_names
from engine.definitions.reading import Place
from engine.definitions.references import complaint, unknown
from engine.problems import Problem


def vouchers_name_accounts(loaded: Loaded) -> Iterator[Problem]:
    """Every code of a rule is an account of the chart; clearing accounts, too."""
    for key, voucher in loaded.vouchers.items():
        place = Place(VOUCHERS, key, ())
        for index, code in enumerate(voucher.clearing):
            yield from unknown(loaded, place / "clearing" / index, "definition.unknown_account", code, voucher.accounts)
        for index, rule in enumerate(voucher.rules):
            at = place / "rules" / index
            for name, side in (("debit", rule.debit), ("credit", rule.credit)):
                if side is not None:
                    yield from unknown(loaded, at / name, "definition.unknown_account", side, voucher.accounts)
            if rule.skip is not (rule.debit is None and rule.credit is None) or (rule.debit is None) is not (
                rule.credit is None
            ):
                yield complaint(loaded, at, "definition.voucher_sides")


def vouchers_know_ledgers(loaded: Loaded) -> Iterator[Problem]:
    """A rule is about a ledger the app has; categories need the field they are taken from."""
    known = ledger_names(loaded)
    product = loaded.forms.get(loaded.app.dimensions.product or "") if loaded.app is not None else None
    for key, voucher in loaded.vouchers.items():
        place = Place(VOUCHERS, key, ())
        for index, rule in enumerate(voucher.rules):
            at = place / "rules" / index / "ledger"
            yield from unknown(loaded, at, "definition.unknown_ledger", rule.ledger, known)
        if voucher.product_category is not None and product is not None:
            at = place / "product_category"
            yield from unknown(loaded, at, "definition.unknown_field", voucher.product_category, product.fields)
