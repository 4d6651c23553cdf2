"""Whether what is kept equals what the ledgers say: every balance folded anew from its entries and compared."""

from __future__ import annotations

from engine.ledger import ledgers
from runtime.house import House
from runtime.storage.database import read
from runtime.storage.ledgers import Difference, fold


def differences(house: House, workspace: str) -> tuple[Difference, ...]:
    """Balances that differ from their entries; empty when all is well.

    Raises:
        Refused: ``missing`` when there is no such workspace or nothing is published in it.
    """
    place = house.workspace(workspace)
    settings = house.published(place).bundle.app.settings
    with read(place.database) as connection:
        return fold(connection, ledgers(settings.cost_scope))
