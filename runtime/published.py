"""Published apps by snapshot hash: read once per process, kept as long as the process; nothing is parsed per request.

A snapshot never changes, so its bundle and tables may be kept under its hash; which snapshot is current is asked of the
database every time, so any number of processes see a publish at once.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeVar, cast

from engine.actor import Actor
from engine.definitions.bundle import reopened
from engine.definitions.compile import content_hash
from engine.definitions.compiled import AppBundle, CompiledForm
from engine.definitions.load import load
from engine.kinds import Kinds
from engine.permissions import FormAccess, form_access
from engine.problems import Refused, problem
from runtime.rule_book import RuleBook, rule_book
from runtime.storage import snapshots
from runtime.storage.app_tables import AppTables, app_tables
from runtime.storage.database import Connection, Database, read

T = TypeVar("T")
MOST_GRANTED = 10_000
MOST_DERIVED = 2_000
MOST_READ = 1_000


class Granted:
    """Who may do what in one snapshot, worked out once per form and set of roles, for it depends on nothing else."""

    def __init__(self, bundle: AppBundle) -> None:
        self._bundle = bundle
        self._known: dict[tuple[str, frozenset[str]], FormAccess] = {}

    def access(self, form: CompiledForm, actor: Actor) -> FormAccess:
        """What the person may do with the form."""
        key = (form.key, actor.roles)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= MOST_GRANTED:
                self._known.clear()
            known = self._known[key] = form_access(self._bundle, form, actor)
        return known


class Derived:
    """What depends on nothing but the snapshot and the words of its key, worked out once and kept with the snapshot."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], object] = {}

    def once(self, make: Callable[[], T], *key: object) -> T:
        """What ``make`` answers, asked the first time only. ``key`` names the question and all that it depends on."""
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= MOST_DERIVED:
                self._known.clear()
            known = self._known[key] = make()
        return cast("T", known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A published snapshot ready to work with."""

    bundle: AppBundle
    tables: AppTables
    granted: Granted
    rules: RuleBook
    derived: Derived = field(default_factory=Derived)


class PublishedApps:
    """Compiled snapshots of one process."""

    def __init__(self, kinds: Kinds) -> None:
        self._kinds = kinds
        self._by_hash: dict[str, Published] = {}
        self._read: dict[str, str] = {}
        self._lock = threading.Lock()

    def keep(self, bundle: AppBundle) -> Published:
        """Remember a bundle that has just been compiled, and with it what its texts say."""
        self._read[_digest(bundle.files)] = bundle.hash
        return self._keep(bundle)

    def hash_of(self, files: Mapping[str, str]) -> str:
        """The content hash of texts. What this process has read once, to the letter, it does not read again."""
        digest = _digest(files)
        known = self._read.get(digest)
        if known is None:
            if len(self._read) >= MOST_READ:
                self._read.clear()
            known = self._read[digest] = content_hash(load(files, self._kinds))
        return known

    def _keep(self, bundle: AppBundle) -> Published:
        with self._lock:
            known = self._by_hash.get(bundle.hash)
            if known is None:
                known = self._by_hash[bundle.hash] = Published(
                    bundle=bundle, tables=app_tables(bundle), granted=Granted(bundle), rules=rule_book(bundle)
                )
            return known

    def known(self, snapshot: str) -> Published | None:
        """The snapshot with this hash, where this process has read it before."""
        return self._by_hash.get(snapshot)

    def of_hash(self, connection: Connection, snapshot: str) -> Published:
        """The snapshot with this hash.

        Raises:
            Refused: ``missing`` when the database does not have it, ``invalid`` when it no longer loads.
        """
        known = self._by_hash.get(snapshot)
        if known is not None:
            return known
        stored = snapshots.load(connection, snapshot)
        if stored is None:
            raise Refused([problem("app.snapshot_missing", snapshot=snapshot[:12])], "missing")
        bundle = reopened(stored.files, self._kinds, snapshot)
        if not isinstance(bundle, AppBundle):
            raise Refused(bundle)
        return self._keep(bundle)  # it goes by the hash it was found under, whatever its texts say

    def current(self, database: Database) -> Published:
        """What is published in the workspace now.

        Raises:
            Refused: ``missing`` when nothing has been published yet.
        """
        with read(database) as connection:
            return self.current_in(connection)

    def current_in(self, connection: Connection) -> Published:
        """`current`, asked in a transaction that is open already."""
        return self.seen(connection, snapshots.current_hash(connection))

    def seen(self, connection: Connection, snapshot: str | None) -> Published:
        """`current`, where its hash was read along with something else; None when there was none."""
        if snapshot is None:
            raise Refused([problem("app.nothing_published")], "missing")
        return self.of_hash(connection, snapshot)


def _digest(files: Mapping[str, str]) -> str:
    return sha256(json.dumps(sorted(files.items())).encode()).hexdigest()
