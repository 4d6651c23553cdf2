"""Promises: who gets free goods first, which supply covers which order, and which day can be promised."""

from __future__ import annotations

from engine.promise.allocate import Allocation, allocate, releasable, reserve
from engine.promise.available import Answer, Outlook, Step, Timeline, answer, available_to_promise, order_day, said
from engine.promise.demand import Backorder, LineKey, Supply, priority
from engine.promise.forecast import Arrival, Forecast, forecast, unfounded
from engine.promise.warehouses import Sourced, Sourcing, Wanted, source

__all__ = (
    "Allocation",
    "Answer",
    "Arrival",
    "Backorder",
    "Forecast",
    "LineKey",
    "Outlook",
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
    "order_day",
    "priority",
    "releasable",
    "reserve",
    "said",
    "source",
    "unfounded",
)
