"""What nobody needs any more (清理): files no record refers to, once a night and only so many at a time.

Sessions and the traces of finished work go with `runtime.jobs.retention`; files need the published definitions to know
where a file may be named, so their job lives here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

import structlog

from engine.actor import automation
from engine.problems import Refused
from runtime.facade.door import Door, enter
from runtime.house import House
from runtime.jobs.contract import Handler, JobContext, Payload
from runtime.storage import orphans
from runtime.storage.database import in_transaction, read
from runtime.workspaces import list_workspaces

TIDY = "tidy_files"
EVERY_NIGHT = "41 3 * * *"
# An upload waits in a form that is open on somebody's screen; over a long weekend it may stay there.
SPARED = timedelta(days=7)
MOST_AT_ONCE = 1000

_log = structlog.get_logger("stockloom.jobs")


def tidying_handlers(house: House) -> Mapping[str, Handler]:
    """The handler of the kind ``tidy_files``: every workspace, one after the other."""

    def tidy_all(context: JobContext, payload: Payload) -> None:
        names = list_workspaces(house.settings)
        for number, key in enumerate(names):
            context.progress(number, len(names))
            try:
                door = enter(house, key, automation())
            except Refused:
                continue  # nothing is published there: nobody could upload anything
            if gone := tidy_files(door, house.now()):
                _log.info("files removed", workspace=key, files=gone)

    return MappingProxyType({TIDY: tidy_all})


def tidy_files(door: Door, now: datetime, most: int = MOST_AT_ONCE) -> int:
    """Remove at most ``most`` files nothing refers to, and as many bytes without a row; returns how many in all.

    Rows go before bytes: a crash between the two leaves bytes without a row, which the next night finds.
    """
    place, before = door.workspace, now - SPARED
    with read(place.database) as connection:
        ids = orphans.orphans(connection, door.tables, before, most)
    if ids:
        in_transaction(place.database, lambda connection: orphans.forget(connection, ids))
        orphans.delete_bytes(place.files_dir, ids)
    with read(place.database) as connection:
        return len(ids) + orphans.delete_strays(connection, place.files_dir, before, most)
