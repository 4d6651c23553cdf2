"""Promises: who gets free goods first, which supply covers which order, and which day can be promised."""

from __future__ import annotations

from engine.promise.allocate import LOCK_HOURS, Allocation, HardLock, allocate, lapsed, lock_until, releasable, reserve
from engine.promise.available import Answer, Outlook, Step, Timeline, answer, available_to_promise, order_day, said
from engine.promise.demand import Backorder, LineKey, Supply, priority
from engine.promise.forecast import Arrival, Forecast, forecast
from engine.promise.peg import Peg, Pegging, peg
from engine.promise.warehouses import Sourced, Sourcing, Wanted, source

__all__ = (
    "LOCK_HOURS",
    "Allocation",
    "Answer",
    "Arrival",
    "Backorder",
    "Forecast",
    "HardLock",
    "LineKey",
    "Outlook",
    "Peg",
    "Pegging",
    "Sourced",
    "Sourcing",
    "Step",
    "Supply",
    "Timeline",
    "Wanted",
    "allocate",
    "answer",
    "available_to_promise",
    "forecast",
    "lapsed",
    "lock_until",
    "order_day",
    "peg",
    "priority",
    "releasable",
    "reserve",
    "said",
    "source",
)
