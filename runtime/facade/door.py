"""``Door``: one person inside one workspace. Every facade function takes it first; there is no other way in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from engine.actor import Actor
from engine.definitions.compiled import AppBundle, CompiledForm
from engine.labels import Language
from engine.permissions import FormAccess
from engine.problems import Problem, Refused, problem, suggestion
from runtime.house import House
from runtime.published import Published
from runtime.stages.steps import Unit
from runtime.storage.app_tables import AppTables
from runtime.storage.database import asking, read
from runtime.submit import unit_of
from runtime.workspaces import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A person in a workspace, at one published state of its app."""

    house: House
    workspace: Workspace
    published: Published
    actor: Actor

    @property
    def bundle(self) -> AppBundle:
        """The published definitions."""
        return self.published.bundle

    @property
    def tables(self) -> AppTables:
        """The tables that belong to them."""
        return self.published.tables

    @property
    def language(self) -> Language:
        """``zh`` or ``en``."""
        return self.actor.language

    def form(self, key: str) -> CompiledForm:
        """The form, if the person may read it.

        Raises:
            Refused: ``missing`` for an unknown form and, alike, for one the person may not read.
        """
        form = self.bundle.forms.get(key)
        if form is None or not self.may(form, "read"):
            readable = [name for name, one in self.bundle.forms.items() if self.may(one, "read")]
            raise Refused([problem("form.unknown", name=key, **suggestion(key, readable))], "missing")
        return form

    def access(self, form: CompiledForm) -> FormAccess:
        """What the person may do with the form."""
        return self.published.granted.access(form, self.actor)

    def may(self, form: CompiledForm, action: str) -> bool:
        """Whether the action is granted at all."""
        return action in self.access(form).actions

    def say(self, one: Problem) -> str:
        """The sentence of a problem in the person's language."""
        return self.house.catalogue.text(one, self.language)[0]

    @contextmanager
    def reading(self) -> Iterator[Unit]:
        """A read transaction with everything the stages' questions need."""
        context = self.house.context(self.workspace, self.published, self.actor)
        with read(self.workspace.database) as connection:
            yield unit_of(context, connection)

    @contextmanager
    def asking(self) -> Iterator[Unit]:
        """As `reading`, for a list: its statements need not see one state, and nothing is written."""
        context = self.house.context(self.workspace, self.published, self.actor)
        with asking(self.workspace.database) as connection:
            yield unit_of(context, connection)


def enter(house: House, workspace: str | Workspace, actor: Actor) -> Door:
    """Open the door for somebody who has been identified.

    Raises:
        Refused: ``missing`` when there is no such workspace or nothing is published in it.
    """
    place = house.workspace(workspace) if isinstance(workspace, str) else workspace
    return Door(house=house, workspace=place, published=house.published(place), actor=actor)
