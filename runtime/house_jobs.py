"""A house and its jobs, wired to each other: the durable engine for serving and working, inline jobs for the rest.

Jobs need the house (to open workspaces and submit follow-up documents) and the house needs the jobs (to hand effects
over), so both are made here, once. Nothing is opened, imported or started by wiring.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType

from engine.kinds import Kinds
from runtime.delivering.jobs import sending_chore, sending_handlers
from runtime.delivering.plugin_calls import plugin_performers
from runtime.delivering.queueing import Queueing
from runtime.facade.flow_jobs import flow_performers, timer_handlers
from runtime.facade.follow_up import follow_up
from runtime.facade.import_jobs import import_handlers
from runtime.facade.lapse import EVERY_QUARTER, LAPSE, lapse_handlers
from runtime.facade.tidying import EVERY_NIGHT, TIDY, tidying_handlers
from runtime.hookspecs import NO_PLUGINS, Plugins
from runtime.house import ZONE, House, wall_clock
from runtime.jobs.assembly import JobParts, engine_handlers, inline_handlers, standing_chores
from runtime.jobs.contract import Clock, Handler, Handlers
from runtime.jobs.deliver import Performing
from runtime.jobs.engine import JobEngine, engine_options
from runtime.jobs.inline import InlineJobs
from runtime.jobs.relay import BackgroundRelay
from runtime.jobs.timers import in_turn, timer_chore
from runtime.messages.catalogue import Catalogue
from runtime.plugin_loading import installed_kinds
from runtime.ruling.clock import rule_chore, rule_handlers
from runtime.ruling.outside import rule_performers, rule_writers
from runtime.settings import Settings
from runtime.workspaces import list_workspaces

MoreHandlers = Callable[[House], Mapping[str, Handler]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineHouse:
    """A house over the durable engine. ``handlers`` are for ``engine.start_later`` or ``engine.worker``."""

    house: House
    engine: JobEngine
    relay: BackgroundRelay
    handlers: Handlers

    def close(self) -> None:
        """Hand over what was committed, then close everything. Close a started worker before."""
        self.relay.close()
        self.engine.close()
        self.house.close()


def no_more_handlers(house: House) -> Mapping[str, Handler]:
    """Only the kinds every installation has."""
    return MappingProxyType({})


def engine_house(
    settings: Settings,
    kinds: Kinds,
    catalogue: Catalogue,
    more: MoreHandlers = no_more_handlers,
    plugins: Plugins = NO_PLUGINS,
    clock: Clock = wall_clock,
) -> EngineHouse:
    """A house whose effects a durable engine performs. ``more``: handlers of further kinds, such as imports."""
    engine = JobEngine(
        engine_options(settings), lambda key: house.workspace(key), lambda started: standing_chores(started, parts)
    )
    relay = BackgroundRelay(engine, clock)
    house = House(settings, kinds, catalogue, engine, clock, hand_over=relay.hand_over, plugins=plugins)
    parts = _parts(house, more)
    return EngineHouse(house=house, engine=engine, relay=relay, handlers=engine_handlers(engine, parts))


def inline_house(
    settings: Settings,
    kinds: Kinds,
    catalogue: Catalogue,
    clock: Clock = wall_clock,
    more: MoreHandlers = no_more_handlers,
    plugins: Plugins = NO_PLUGINS,
) -> tuple[House, InlineJobs]:
    """A house whose effects are performed when somebody calls ``drain``."""
    jobs = InlineJobs(clock, lambda key: house.workspace(key))
    house = House(settings, kinds, catalogue, jobs, clock, plugins=plugins)
    jobs.worker(inline_handlers(_parts(house, more)))
    return house, jobs


@contextmanager
def opened_house(settings: Settings, catalogue: Catalogue) -> Iterator[House]:
    """A house for one command that performs no effects; closed when it is done."""
    house, _ = inline_house(settings, installed_kinds(), catalogue)
    try:
        yield house
    finally:
        house.close()


def performing(house: House) -> Performing:
    """Who performs the effects that go beyond tasks and messages, by kind."""
    queueing = Queueing(
        plugins=house.plugins,
        clock=house.now,
        public_url=house.settings.public_url,
        language=house.settings.language,
    )
    return Performing(
        writers={**queueing.writers(), **rule_writers(house)},
        performers={
            **plugin_performers(house.plugins, house.outside, house.now, ZONE),
            **flow_performers(house),
            **rule_performers(house),
        },
    )


def _parts(house: House, more: MoreHandlers) -> JobParts:
    return JobParts(
        open_workspace=house.workspace,
        workspaces=lambda: list_workspaces(house.settings),
        start_document=follow_up(house),
        clock=house.now,
        handlers={
            **import_handlers(house),
            **lapse_handlers(house),
            **tidying_handlers(house),
            **sending_handlers(house.sender),
            **in_turn(timer_handlers(house)),
            **rule_handlers(house),
            **more(house),
        },
        schedules={LAPSE: EVERY_QUARTER, TIDY: EVERY_NIGHT},
        chores=(
            sending_chore(house.workspace, lambda: list_workspaces(house.settings), house.now),
            timer_chore(lambda: list_workspaces(house.settings), house.workspace, house.now),
            rule_chore(house, lambda: list_workspaces(house.settings)),
        ),
        performing=performing(house),
        retention_days=house.settings.job_retention_days,
        seal_hours=house.settings.seal_hours,
        faults=house.faults,
    )
