"""Ledgers: declarations, entries, balances and the decision of posting. Knows no storage and no costing method."""

from __future__ import annotations

from engine.ledger.balance import EMPTY, Balance, BalanceKey
from engine.ledger.declared import Ledger, keys_of, ledgers
from engine.ledger.entry import Entry
from engine.ledger.posting import Request, live, releases, request_keys, requests
from engine.ledger.value import Facts, Policy, Posted, held_lines, mirror, post

__all__ = (
    "EMPTY",
    "Balance",
    "BalanceKey",
    "Entry",
    "Facts",
    "Ledger",
    "Policy",
    "Posted",
    "Request",
    "held_lines",
    "keys_of",
    "ledgers",
    "live",
    "mirror",
    "post",
    "releases",
    "request_keys",
    "requests",
)
