"""Where the stories of one app are performed: every story in a workspace of its own, which is gone afterwards.

Making the tables and publishing is done once. On SQLite the prepared workspace is a file that is copied for every
story; on PostgreSQL it is a schema that is emptied before every story. Nothing of one story reaches another.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import MappingProxyType
from uuid import uuid4

import yaml

from engine.definitions.bundle import bundle_of
from engine.definitions.compiled import AppBundle
from engine.definitions.file_kinds import APP_FILE
from engine.definitions.story import StoryDef
from engine.problems import Refused
from runtime.facade import accounts, organisation
from runtime.facade.door import Door
from runtime.facade.lapse import EVERY_QUARTER, LAPSE
from runtime.house import House
from runtime.house_jobs import inline_house
from runtime.jobs.inline import InlineJobs
from runtime.jobs.timers import due_timers
from runtime.messages.catalogue import Catalogue
from runtime.published import PublishedApps
from runtime.publishing import publish
from runtime.ruling.clock import hand_over_due
from runtime.settings import Settings
from runtime.storage.emptying import empty
from runtime.stories.cast import cast
from runtime.stories.clock import StoryClock
from runtime.stories.director import LABEL, LOGIN, director_door
from runtime.workspaces import Workspace, create_workspace, open_workspace, remove_workspace

PASSWORD = "a story needs no secret"


@dataclass(slots=True, kw_only=True)
class Performance:
    """One story being acted out.

    Attributes:
        people: user ids by the name the story uses. made: what a name given by a step stands for, (form, id).
        folder: where files lie that the story imports. imported: the last import of a form and file.
        timers: those that have been handed over.
    """

    story: StoryDef
    house: House
    jobs: InlineJobs
    clock: StoryClock
    workspace: Workspace
    folder: Path
    people: dict[str, int] = field(default_factory=dict)
    made: dict[str, tuple[str, int]] = field(default_factory=dict)
    imported: dict[tuple[str, str], int] = field(default_factory=dict)
    timers: set[int] = field(default_factory=set)

    def door(self, name: str) -> Door:
        """The door of a person of the story; the director's for the empty name."""
        if not name:
            return self.director
        return accounts.user_door(self.house, self.workspace.key, name)

    def wake(self) -> None:
        """What workers do every minute: see which rules and timers are due, and do all of it."""
        hand_over_due(self.jobs, self.house, self.workspace.key)
        due_timers(self.jobs, self.workspace, self.clock(), self.timers)
        self.jobs.drain()

    @property
    def director(self) -> Door:
        """The door of who sees and may do everything."""
        return director_door(self.house, self.workspace, self.people[LOGIN])


class Theatre:
    """A house for the stories of one bundle; one story at a time.

    ``folder`` holds its files and is the caller's to remove; ``stories`` is where the stories' own files lie. Close it
    to give back the schema on a PostgreSQL server.

    ``switched``: the bundle already has the company switches of its stories.
    """

    def __init__(
        self,
        bundle: AppBundle,
        catalogue: Catalogue,
        folder: Path,
        stories: Path,
        database_url: str | None = None,
        *,
        switched: bool = False,
    ) -> None:
        self._bundle = bundle
        self._folder = folder
        self._url = database_url
        self._switched = switched
        self._variants: dict[str, Theatre] = {}
        self._catalogue = catalogue
        self._stories = stories
        self._settings = Settings(data_dir=folder, database_url=database_url, test_mode=True)
        self._run = uuid4().hex[:8]
        self._prepared: Workspace | None = None
        self._numbers = count(1)
        self._apps = PublishedApps(bundle.kinds)
        self._apps.keep(bundle)

    @property
    def bundle(self) -> AppBundle:
        """What is published."""
        return self._bundle

    @property
    def folder(self) -> Path:
        """Where its workspaces lie."""
        return self._settings.data_dir

    def close(self) -> None:
        """Remove the prepared workspaces."""
        for each in self._variants.values():
            each.close()
        self._variants.clear()
        if self._prepared is not None:
            self._prepared.database.close()
            remove_workspace(self._settings, self._prepared.key)
            self._prepared = None

    def __enter__(self) -> Theatre:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    @contextmanager
    def open(self, story: StoryDef) -> Iterator[Performance]:
        """A fresh workspace with the app published and the people of the story in it."""
        if story.settings and not self._switched:
            with self._variant(story).open(story) as performance:
                yield performance
            return
        clock = StoryClock(story.date)
        house, jobs = inline_house(self._settings, self._bundle.kinds, self._catalogue, clock)
        house.apps = self._apps
        workspace = house.keep(self._fresh(clock))
        jobs.schedule(LAPSE, EVERY_QUARTER, {"workspace": workspace.key}, LAPSE)
        try:
            performance = Performance(
                story=story, house=house, jobs=jobs, clock=clock, workspace=workspace, folder=self._stories
            )
            self._enter(performance)
            yield performance
        finally:
            house.close()
            if workspace is not self._prepared:
                remove_workspace(self._settings, workspace.key)

    def _variant(self, story: StoryDef) -> Theatre:
        """The theatre of the app with the company switches of the story; made once for all stories that share them."""
        key = yaml.safe_dump(story.settings)
        if key not in self._variants:
            app = yaml.safe_load(self._bundle.files[APP_FILE])
            options = app.get("options", {})
            for name in story.settings.keys() & options.keys():
                options[name]["default"] = story.settings[name]
            switches = {name: value for name, value in story.settings.items() if name not in options}
            app["settings"] = {**app.get("settings", {}), **switches}
            files = {**self._bundle.files, APP_FILE: yaml.safe_dump(app, allow_unicode=True, sort_keys=False)}
            switched = bundle_of(files, self._bundle.kinds)
            if not isinstance(switched, AppBundle):
                raise Refused(switched)
            self._variants[key] = Theatre(
                switched, self._catalogue, self._folder / f"variant_{len(self._variants)}", self._stories, self._url,
                switched=True,
            )  # fmt: skip
        return self._variants[key]

    def _fresh(self, clock: StoryClock) -> Workspace:
        """An empty workspace with the app published."""
        if self._prepared is None:
            self._prepared = create_workspace(self._settings, f"story_{self._run}")
            publish(self._prepared.database, self._bundle, LABEL.zh, clock())
            self._prepared.database.close()
        elif self._settings.uses_postgres:
            empty(self._prepared.database)
        if self._settings.uses_postgres:
            return self._prepared  # a closed database opens again when it is asked
        key = f"{self._prepared.key}_{next(self._numbers)}"
        shutil.copytree(self._settings.data_dir / self._prepared.key, self._settings.data_dir / key)
        return open_workspace(self._settings, key)

    def _enter(self, performance: Performance) -> None:
        people = cast(performance.story, self._bundle)
        house, key = performance.house, performance.workspace.key
        names = dict.fromkeys(user.department for user in people.values() if user.department)
        departments = MappingProxyType({name: organisation.add_department(house, key, name) for name in names})
        for name, user in people.items():
            performance.people[name] = accounts.add_user(
                house,
                key,
                login=name,
                name=name,
                password=PASSWORD,
                roles=user.roles,
                department=departments.get(user.department or ""),
            )
            if user.head and user.department:
                organisation.put_in_charge(house, key, departments[user.department], performance.people[name])
        performance.people[LOGIN] = accounts.add_user(
            house, key, login=LOGIN, name=LABEL.zh, password=PASSWORD, roles=()
        )
