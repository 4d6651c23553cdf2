"""Ledgers: declarations, entries, balances and the decision of posting. Knows no storage and no costing method."""

from __future__ import annotations

from engine.ledger.balance import EMPTY, Balance, BalanceKey, available, available_keys, line_key, variance_key
from engine.ledger.course import Origin, Start, cost_order
from engine.ledger.decide import held_lines, mirror, post
from engine.ledger.declared import (
    UNUSABLE,
    Grain,
    Ledger,
    added_up,
    at_places,
    key_at,
    keys_of,
    ledgers,
    pool_of,
)
from engine.ledger.entry import COST, Entry
from engine.ledger.facts import Facts, Layering, LotDates, Policy, Posted, live
from engine.ledger.posting import Asked, Request, asked, origin_of, releases, requests
from engine.ledger.red import RedLine, flushable, moved, red_requests

__all__ = (
    "COST",
    "EMPTY",
    "UNUSABLE",
    "Asked",
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
    "added_up",
    "asked",
    "at_places",
    "available",
    "available_keys",
    "cost_order",
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
    "variance_key",
)
