"""The ledgers of a published app."""

from __future__ import annotations

from collections.abc import Mapping

from engine.definitions.compiled import AppBundle
from engine.ledger import Ledger, ledgers


def declared_ledgers(bundle: AppBundle) -> Mapping[str, Ledger]:
    """The ledgers ``bundle`` declares: those every app has, as its switches shape them, and its own."""
    return ledgers(bundle.app.settings, bundle.app.ledgers)
