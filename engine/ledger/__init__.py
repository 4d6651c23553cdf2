"""Ledgers: declarations, entries, balances and the decision of posting. Knows no storage and no costing method."""

from __future__ import annotations

from engine.ledger.balance import EMPTY, Balance, BalanceKey
from engine.ledger.course import Origin, Start, pool_of
from engine.ledger.decide import available_keys, held_lines, line_key, mirror, origin_of, post
from engine.ledger.declared import UNUSABLE, Grain, Ledger, key_at, keys_of, ledgers
from engine.ledger.entry import COST, Entry
from engine.ledger.facts import Facts, Layering, LotDates, Policy, Posted, live
from engine.ledger.posting import Request, releases, requests
from engine.ledger.red import RedLine, flushable, moved, red_requests

__all__ = (
    "COST",
    "EMPTY",
    "UNUSABLE",
    "Balance",
    "BalanceKey",
    "Entry",
    "Facts",
    "Grain",
    "Layering",
    "Ledger",
    "LotDates",
    "Origin",
    "Policy",
    "Posted",
    "RedLine",
    "Request",
    "Start",
    "available_keys",
    "flushable",
    "held_lines",
    "key_at",
    "keys_of",
    "ledgers",
    "line_key",
    "live",
    "mirror",
    "moved",
    "origin_of",
    "pool_of",
    "post",
    "red_requests",
    "releases",
    "requests",
)
