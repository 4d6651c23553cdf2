"""Which goods go out: the life of lots, the proposal by FEFO or FIFO, and the judgement of what was picked."""

from __future__ import annotations

from engine.picking.judge import Choice, Verdict, judge
from engine.picking.lot_number import LOT_PATTERN, LotRule, lot_number
from engine.picking.propose import PassedOver, Pick, Proposal, Strategy, Wish, notices, propose
from engine.picking.shelf_life import (
    NEAR_DAYS,
    RECEIVING_LIMIT,
    Level,
    ShelfLife,
    elapsed_share,
    expiry,
    expiry_of,
    level,
    near_days,
    receiving_problems,
    remaining_share,
)
from engine.picking.stock import STATUS_LABELS, TAKEABLE, Lot, Stock, StockKey

__all__ = (
    "LOT_PATTERN",
    "NEAR_DAYS",
    "RECEIVING_LIMIT",
    "STATUS_LABELS",
    "TAKEABLE",
    "Choice",
    "Level",
    "Lot",
    "LotRule",
    "PassedOver",
    "Pick",
    "Proposal",
    "ShelfLife",
    "Stock",
    "StockKey",
    "Strategy",
    "Verdict",
    "Wish",
    "elapsed_share",
    "expiry",
    "expiry_of",
    "judge",
    "level",
    "lot_number",
    "near_days",
    "notices",
    "propose",
    "receiving_problems",
    "remaining_share",
)
