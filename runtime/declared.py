"""The ledgers of a published app, and what its postings say of them."""

from __future__ import annotations

from collections.abc import Mapping

from engine.definitions.compiled import AppBundle
from engine.expressions.types import Kind
from engine.ledger import Ledger, ledgers


def declared_ledgers(bundle: AppBundle) -> Mapping[str, Ledger]:
    """The ledgers ``bundle`` declares: those every app has, as its switches shape them, and its own."""
    return ledgers(bundle.app.settings, bundle.app.ledgers)


def subject_forms(bundle: AppBundle, ledger: str) -> tuple[str, ...]:
    """Forms of the records the entries of ``ledger`` are kept for, as the expressions of the postings say."""
    subjects = (
        one.dimensions.get("subject")
        for postings in bundle.postings.values()
        for posting in postings
        for entries in posting.entries.values()
        for one in entries
        if one.definition.ledger == ledger
    )
    found = dict.fromkeys(one.type.record for one in subjects if one is not None and one.type.kind is Kind.LINK)
    return tuple(key for key in found if key in bundle.forms)
