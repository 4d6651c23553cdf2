"""The jobs of imports: try, run, undo; each as the person who asked for it, with the rights they have by then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from engine.problems import Refused, problem
from runtime.facade import imports
from runtime.facade.door import Door
from runtime.facade.imports import RUN, TRIAL, UNDO, Tell
from runtime.house import House
from runtime.jobs.contract import Handler, JobContext, Payload
from runtime.storage import accounts
from runtime.storage.database import read


def import_handlers(house: House) -> Mapping[str, Handler]:
    """Handlers by kind of job."""

    def handler(work: Callable[[Door, int, Tell], object]) -> Handler:
        def handle(context: JobContext, payload: Payload) -> None:
            door = _door(house, str(payload["workspace"]), int(payload["user"]))
            work(door, int(payload["import"]), context.progress)

        return handle

    return MappingProxyType(
        {RUN: handler(imports.perform), TRIAL: handler(imports.try_out), UNDO: handler(imports.take_back)}
    )


def _door(house: House, workspace: str, user: int) -> Door:
    place = house.workspace(workspace)
    published = house.published(place)
    with read(place.database) as connection:
        actor = accounts.actor_of(connection, user, published.bundle.app.app)
    if actor is None:
        raise Refused([problem("import.nobody")], "missing")
    return Door(house=house, workspace=place, published=published, actor=actor)
