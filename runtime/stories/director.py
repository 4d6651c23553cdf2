"""The director of a story: sets up what is given and looks at everything afterwards.

A role of its own, added to the published roles while a story runs, with every action on every form and no hidden tag:
an app's roles may all hide something, and a story has to see it nevertheless. It passes the same stages as any role.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import get_args

from engine.actor import Actor
from engine.definitions.compiled import CompiledGrant, CompiledRole
from engine.definitions.form import Action
from engine.definitions.role import Grant, RoleDef, StockAccess
from engine.labels import Label
from runtime.facade.door import Door
from runtime.facade.stock_rights import MEASURES
from runtime.house import House
from runtime.published import Granted, Published
from runtime.workspaces import Workspace

ROLE = "story_director"
LOGIN = "story_director"
LABEL = Label("导演", "Director")


def director_door(house: House, workspace: Workspace, user: int) -> Door:
    """The door of the director, whose account is ``user``."""
    actor = Actor(user=user, name=LABEL.zh, roles=frozenset({ROLE}))
    return Door(house=house, workspace=workspace, published=_directed(house.published(workspace)), actor=actor)


def _directed(published: Published) -> Published:
    bundle = published.bundle
    grant = Grant(forms=("*",), actions=tuple(get_args(Action)))
    role = CompiledRole(
        definition=RoleDef(
            role=ROLE,
            label=LABEL,
            grants=(grant,),
            stock=StockAccess.model_validate({"measures": MEASURES}),
            closing=("day", "reopen_day", "month"),
            pages=("stock", "entries", "tasks", "messages", "import", "settings"),
        ),
        grants=(CompiledGrant(definition=grant, forms=frozenset(bundle.forms), rows=MappingProxyType({})),),
        stock_rows=None,
    )
    directed = replace(bundle, roles=MappingProxyType({**bundle.roles, ROLE: role}))
    return replace(published, bundle=directed, granted=Granted(directed))
