"""Whom a definition means: the ways to name people in workflows and rules. Exactly one way is given at a time."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag

from engine.definitions.shape import Definition, ExpressionText, Key


class Chosen(Definition):
    """People somebody picks: the submitter (自选) when submitting, or whoever decided the node before.

    Attributes:
        by: who picks. role: only holders of this role may be picked. most: how many at most.
    """

    by: Literal["initiator", "previous"] = "initiator"
    role: Key | None = None
    most: Annotated[int, Field(ge=1, le=20)] = 1


class Resolver(Definition):
    """People an external service names: a plugin's resolver and what it is told (expressions over the document)."""

    use: Key
    params: dict[str, ExpressionText] = {}


class Who(Definition):
    """One way to name people.

    Attributes:
        role: everybody holding the role of the app.
        member: accounts by their login name.
        field: a member field of the document, or of a linked record (``customer.salesperson``).
        department_head: head of the submitter's department, or of the nearest one above that has a head.
        supervisor: the head so many levels above the submitter (1 = direct).
        supervisors_up_to: the heads of every level above, up to the first who holds this role.
        initiator: the submitter.
        chosen: picked by a person.
        expression: an expression over the document that gives a member.
        resolver: named by a plugin.
    """

    role: Key | None = None
    member: str | tuple[str, ...] | None = None
    field: str | None = None
    department_head: bool = False
    supervisor: Annotated[int, Field(ge=1, le=10)] | None = None
    supervisors_up_to: Key | None = None
    initiator: bool = False
    chosen: Chosen | None = None
    expression: ExpressionText | None = None
    resolver: Resolver | None = None

    def given(self) -> tuple[str, ...]:
        """Names of the ways that are given; a sound definition has one."""
        ways: dict[str, Any] = {name: getattr(self, name) for name in type(self).model_fields}
        return tuple(name for name, way in ways.items() if way not in (None, False))


def _how_many(raw: object) -> str:
    return "<several>" if isinstance(raw, list | tuple) else "<one>"


# Whoever is named in one way, or a list of ways whose people are taken together.
Whom: TypeAlias = Annotated[
    Annotated[Who, Tag("<one>")] | Annotated[tuple[Who, ...], Tag("<several>")], Discriminator(_how_many)
]


def listed(whom: Whom) -> tuple[Who, ...]:
    """The ways, as a list."""
    return whom if isinstance(whom, tuple) else (whom,)
