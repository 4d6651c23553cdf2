"""The house: what one process shares between requests. Wired once at start-up, passed in everywhere, never global."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from engine.actor import Actor
from engine.definitions.compiled import AppBundle
from engine.kinds import Kinds
from runtime.delivering.sending import Sender
from runtime.faults import faults_of
from runtime.hookspecs import NO_PLUGINS, Outside, Plugins
from runtime.jobs.contract import JobDesk
from runtime.jobs.relay import relay
from runtime.messages.catalogue import Catalogue
from runtime.published import Published, PublishedApps
from runtime.safe_http import SafeOutside
from runtime.settings import Settings
from runtime.storage.database import read
from runtime.submit import Command, Context, Outcome, submit
from runtime.trying.drafts import Drafts
from runtime.workspaces import Workspace, open_workspace

ZONE = ZoneInfo("Asia/Shanghai")


def wall_clock() -> datetime:
    """Now in the product's zone, naive, to the second."""
    return datetime.now(ZONE).replace(tzinfo=None, microsecond=0)


def _way_out(settings: Settings) -> Outside:
    return SafeOutside(allow_http=settings.webhook_allow_http, allow_hosts=settings.allowed_hosts)


class House:
    """Settings, kinds, texts, clock, jobs, plugins, and the workspaces opened so far."""

    def __init__(
        self,
        settings: Settings,
        kinds: Kinds,
        catalogue: Catalogue,
        jobs: JobDesk,
        clock: Callable[[], datetime] = wall_clock,
        hand_over: Callable[[Workspace, Sequence[int]], None] | None = None,
        plugins: Plugins = NO_PLUGINS,
        outside: Outside | None = None,
    ) -> None:
        """``hand_over`` gives committed effects to the job engine; without it they are handed over at once.

        ``outside`` is the way out for messages; without it the one the settings describe.
        """
        self.settings = settings
        self.kinds = kinds
        self.catalogue = catalogue
        self.jobs = jobs
        self.now = clock
        self.faults = faults_of(settings)
        self.plugins = plugins
        self.outside = outside or SafeOutside(
            allow_http=settings.webhook_allow_http, allow_hosts=settings.allowed_hosts
        )
        self.sender = Sender(plugins, self.outside, clock, ZONE, self.faults)
        self._hand_over = hand_over
        self.apps = PublishedApps(kinds)
        self.drafts = Drafts()
        self._workspaces: dict[str, Workspace] = {}
        self._lock = threading.Lock()

    def workspace(self, key: str) -> Workspace:
        """The open workspace.

        Raises:
            Refused: ``missing`` when there is none of this name.
        """
        with self._lock:
            known = self._workspaces.get(key)
            if known is None:
                known = self._workspaces[key] = open_workspace(self.settings, key)
            return known

    def keep(self, workspace: Workspace) -> Workspace:
        """Take over a workspace that was just created."""
        with self._lock:
            return self._workspaces.setdefault(workspace.key, workspace)

    def published(self, workspace: Workspace) -> Published:
        """What is published there now."""
        return self.apps.current(workspace.database)

    def context(self, workspace: Workspace, published: Published, actor: Actor) -> Context:
        """A submission's where, who and when."""
        return Context(
            database=workspace.database,
            bundle=published.bundle,
            bundle_of=self._older(workspace),
            tables=published.tables,
            granted=published.granted,
            rules=published.rules,
            actor=actor,
            now=self.now(),
            faults=self.faults,
        )

    def submit(self, workspace: Workspace, published: Published, actor: Actor, command: Command) -> Outcome:
        """Submit, and after the commit hand the effects to the job engine."""
        outcome = submit(self.context(workspace, published, actor), command)
        self.faults.reach("committed")
        self.hand_over(workspace, outcome.outbox)
        self.faults.reach("handed")
        return outcome

    def hand_over(self, workspace: Workspace, outbox: Sequence[int]) -> None:
        """Give committed outbox rows to the job engine; a failure here is mended by the sweep."""
        if not outbox:
            return
        if self._hand_over is not None:
            self._hand_over(workspace, outbox)
        else:
            relay(self.jobs, workspace, outbox, self.now())

    def close(self) -> None:
        """Close every database."""
        with self._lock:
            for workspace in self._workspaces.values():
                workspace.database.close()
            self._workspaces.clear()

    def _older(self, workspace: Workspace) -> Callable[[str], AppBundle]:
        def load(snapshot: str) -> AppBundle:
            known = self.apps.known(snapshot)
            if known is not None:
                return known.bundle
            with read(workspace.database) as connection:
                return self.apps.of_hash(connection, snapshot).bundle

        return load
