"""What of the ledgers of stock a person may see: measures, warehouses. Shared by the pages about stock."""

from __future__ import annotations

from engine.labels import Label
from engine.permissions import stock_measures, stock_rows
from engine.problems import Refused, problem
from runtime.facade.door import Door
from runtime.stages.steps import Unit
from runtime.storage.places import Clause
from runtime.storage.row_filters import where_of

MEASURES = ("on_hand", "reserved", "in_transit", "available", "value")


def measures_of(door: Door) -> tuple[str, ...]:
    """The measures of stock the person sees, in their order.

    Raises:
        Refused: ``forbidden`` when there is none.
    """
    allowed = stock_measures(door.bundle, door.actor)
    if not allowed:
        raise Refused([problem("permission.stock_denied")], "forbidden")
    return tuple(measure for measure in MEASURES if measure in allowed)


def moves_seen(door: Door) -> bool:
    """Whether values are shown beside quantities, to a person who may see how stock came about at all.

    Raises:
        Refused: ``forbidden`` for whoever does not see what is on hand.
    """
    measures = measures_of(door)
    if "on_hand" not in measures:
        raise Refused([problem("permission.stock_denied")], "forbidden")
    return "value" in measures


def dimension(door: Door, name: str) -> str:
    """The form that plays the part of ``product`` or ``warehouse``.

    Raises:
        Refused: ``missing`` in an app without one.
    """
    form = getattr(door.bundle.app.dimensions, name)
    if form is None:
        label = Label("商品", "product") if name == "product" else Label("仓库", "warehouse")
        raise Refused([problem("ledger.dimension_missing", dimension=label)], "missing")
    return str(form)


def allowed(door: Door, unit: Unit, warehouses: str) -> Clause | None:
    """Which records of the form ``warehouses`` the person's stock is in; None: all of them."""
    rows = stock_rows(door.bundle, door.actor)
    names = {"me": unit.around.me, "app": unit.around.app}
    return where_of(rows, unit.tables, warehouses, door.actor, names, unit.around.clock, record="warehouse")
