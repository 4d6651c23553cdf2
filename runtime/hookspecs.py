"""What a plugin may add, and what it is handed: channels, actions, resolvers of approvers, field types, functions.

A plugin is a module with functions marked ``@hook``; each returns what it adds. It comes from the folder ``plugins`` or
from an installed package with an entry point in the group ``stockloom``. It is given plain values and an `Outside`,
never the house or a database. docs/plugins.md tells how one is written.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, Protocol, TypeAlias

import pluggy

from engine.expressions import Function
from engine.fieldtypes.contract import FieldType
from engine.kinds import PluginKind
from engine.labels import Label, Language

PROJECT = "stockloom"
hook = pluggy.HookimplMarker(PROJECT)
_spec = pluggy.HookspecMarker(PROJECT)

OptionKind: TypeAlias = Literal["text", "choice", "flag"]


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a receiver answered: HTTP status, headers by lower-case name, and at most a megabyte of body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=_nothing)
    body: bytes = b""


class Outside(Protocol):
    """The only way out of the house: addresses are checked, nothing is followed, everything has a limit."""

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send ``body``. Raises `Undelivered` when there is no answer, or the address is not allowed."""
        ...

    def check(self, url: str) -> None:
        """Raises `Undelivered` when ``url`` would not be sent to, as far as that can be seen without asking anybody."""
        ...

    def connect(self, host: str, port: int) -> socket.socket:
        """A connection to a checked address, for protocols other than HTTP. Raises `Undelivered`."""
        ...

    def tls(self) -> Any:
        """The ``ssl.SSLContext`` that connections are to be made with."""
        ...


class Undelivered(Exception):
    """A message did not arrive.

    Attributes:
        reason: one line for the list of deliveries; no secrets.
        status: what the receiver answered, 0 without an answer.
        again: whether trying later can help. gone: the receiver wants no more messages (HTTP 410).
    """

    def __init__(self, reason: str, *, status: int = 0, again: bool = True, gone: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.again = again
        self.gone = gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One rendered message, in the language of whoever gets it.

    Attributes:
        message_id: the same for every attempt; receivers tell repeats by it.
        address: where to, for a channel that reaches persons. mentions: how people of a group are called (mobiles).
        kind: of message (``task``, ``overdue`` …) or the event of a webhook. link: page to open, empty without one.
        data: content of a webhook; empty for a message to people.
        at: when it was decided, with its zone. sent_at: seconds since 1970 of this attempt.
    """

    message_id: str
    kind: str
    title: str
    body: str = ""
    link: str = ""
    person: str = ""
    address: str = ""
    mentions: tuple[str, ...] = ()
    language: Language = "zh"
    data: Mapping[str, Any] = field(default_factory=_nothing)
    at: datetime
    sent_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a channel sends to, as an administrator entered it. ``secrets``: the one in force, then the one before."""

    address: str
    secrets: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=_nothing)

    def __repr__(self) -> str:
        return "Place(…)"  # addresses of robots and secrets stay out of logs and error messages


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One thing to enter beside address and secret. ``choices`` with their labels, for a choice."""

    key: str
    label: Label
    kind: OptionKind = "text"
    required: bool = False
    choices: tuple[tuple[str, Label], ...] = ()
    default: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A way messages leave the house.

    Attributes:
        personal: reaches one person at an address of theirs (``reached_by``); else a group, where people are called.
        reached_by: what a person enters for it: ``email`` or ``mobile``.
        address: what an administrator enters as the address. secret: and as the secret; None where there is none.
        made: the house makes the secret itself (``whsec_…``) and shows it once.
        hides_address: the address itself is a secret (a robot's key is part of it) and is shown shortened.
        check: what is wrong with a place, as sentences; empty when nothing is.
        send: delivers, or raises `Undelivered`.
    """

    key: str
    label: Label
    personal: bool = False
    reached_by: Literal["email", "mobile"] = "mobile"
    address: Label
    example: str = ""
    secret: Label | None = None
    made: bool = False
    hides_address: bool = False
    options: tuple[Option, ...] = ()
    check: Callable[[Place], tuple[Label, ...]] = lambda place: ()
    send: Callable[[Letter, Place, Outside], None]

    @property
    def kind(self) -> PluginKind:
        """What definitions know of it."""
        return PluginKind(label=self.label)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Why a plugin is called. ``key`` is the same whenever the same occasion is repeated: calling twice does it once.

    Attributes:
        form, document: what it is about; empty and 0 without one.
    """

    key: str
    workspace: str
    form: str = ""
    document: int = 0
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something rules and action nodes may have done outside. ``perform`` raises `Undelivered` to be called again."""

    key: str
    kind: PluginKind
    perform: Callable[[Mapping[str, Any], Occasion, Outside], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolver:
    """An external source of approvers. ``resolve`` answers logins; none means nobody was found."""

    key: str
    kind: PluginKind
    resolve: Callable[[Mapping[str, Any], Occasion, Outside], tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugins:
    """Everything plugins perform, by key. What definitions need to know of it is in `engine.kinds.Kinds`."""

    channels: Mapping[str, Channel] = field(default_factory=_nothing)
    actions: Mapping[str, Action] = field(default_factory=_nothing)
    resolvers: Mapping[str, Resolver] = field(default_factory=_nothing)


NO_PLUGINS = Plugins()


class Hooks:
    """The functions a plugin may have. All are optional; each answers a tuple, or a mapping by name."""

    @_spec
    def stockloom_channels(self) -> tuple[Channel, ...]:
        """Ways messages leave the house."""
        return ()

    @_spec
    def stockloom_actions(self) -> tuple[Action, ...]:
        """What rules and action nodes may call."""
        return ()

    @_spec
    def stockloom_resolvers(self) -> tuple[Resolver, ...]:
        """External sources of approvers."""
        return ()

    @_spec
    def stockloom_field_types(self) -> Mapping[str, FieldType]:
        """Field types by the name written in ``type:``."""
        return _nothing()

    @_spec
    def stockloom_functions(self) -> Mapping[str, Function]:
        """Functions of the expression language by name."""
        return _nothing()
