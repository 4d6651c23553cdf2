"""Supply and demand: ``/-/outlook`` for a product, ``/{form}/{document}/supplies`` and ``promises`` for a document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter

from runtime.api.callers import PREFIX, answered
from runtime.api.shapes import plain, plain_object
from runtime.facade import promises, supplies
from runtime.facade.door import Door
from runtime.web.dependencies import Natural


def supply_api() -> APIRouter:
    """The routes."""
    router = APIRouter(prefix=PREFIX)
    router.get("/-/outlook", response_model=None)(answered(outlook))
    router.get("/{form}/{document}/supplies", response_model=None)(answered(of_document))
    router.get("/{form}/{document}/promises", response_model=None)(answered(promises_of))
    return router


def outlook(door: Door, product: Natural, warehouse: Natural | None = None) -> Mapping[str, Any]:
    """By warehouse: what can be promised from which day on (``steps``), who waits, what is on its way and for whom."""
    return {"rows": [plain(one) for one in supplies.places(door, product, warehouse)]}


def of_document(door: Door, form: str, document: Natural) -> Mapping[str, Any]:
    """Which goods on their way will serve its lines that wait (``waiting``), and whom the goods it brings will serve
    (``supplies``)."""
    return plain_object(supplies.of_document(door, form, document))


def promises_of(door: Door, form: str, document: Natural) -> Mapping[str, Any]:
    """What can be promised of each line of an order that is not approved yet, and the day all of it can leave."""
    return plain_object(promises.of_document(door, form, document))
