"""The people of a house as plain data: who there is, which roles they hold, who heads what, who stands in for whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An account. Somebody who is not ``active`` has left; ``roles`` are those of the app."""

    id: int
    login: str
    name: str
    department: int | None = None
    active: bool = True
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """A department; ``parent`` is the one above, ``head`` a user."""

    id: int
    parent: int | None = None
    head: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """委托: ``to_user`` acts for ``user`` from one moment to another, the last not included.

    Attributes:
        form: only for documents of this form; empty for every form.
        id: the later of two that overlap counts, which is the one with the greater id.
    """

    user: int
    to_user: int
    from_at: datetime
    until_at: datetime
    form: str = ""
    id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Everybody, loaded once for all workflows of a submission.

    Attributes:
        admins: active holders of the right to administer runs, in order.
        by_role: active people by role, in order of their ids. by_login: everybody, by login name.
    """

    people: Mapping[int, Person] = field(default_factory=lambda: MappingProxyType({}))
    departments: Mapping[int, Department] = field(default_factory=lambda: MappingProxyType({}))
    stand_ins: tuple[StandIn, ...] = ()
    admins: tuple[int, ...] = ()
    by_role: Mapping[str, tuple[int, ...]] = field(init=False)
    by_login: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        roles: dict[str, list[int]] = {}
        for number in sorted(self.people):
            person = self.people[number]
            for role in person.roles if person.active else ():
                roles.setdefault(role, []).append(number)
        object.__setattr__(self, "by_role", MappingProxyType({role: tuple(ids) for role, ids in roles.items()}))
        logins = {person.login: number for number, person in self.people.items()}
        object.__setattr__(self, "by_login", MappingProxyType(logins))

    def administered_by(self, roles: frozenset[str]) -> Directory:
        """The same people, with the active holders of ``roles`` for administrators."""
        holders = {number for role in roles for number in self.by_role.get(role, ())}
        return replace(self, admins=tuple(sorted(holders)))

    def active(self, user: int) -> bool:
        """Whether the account exists and has not left."""
        person = self.people.get(user)
        return person is not None and person.active

    def holds(self, user: int, role: str) -> bool:
        """Whether somebody who has not left holds the role."""
        person = self.people.get(user)
        return person is not None and person.active and role in person.roles

    def stand_in(self, user: int, form: str, at: datetime) -> int | None:
        """Who acts for ``user`` now; one for this form goes before one for every form, a later before an earlier."""
        found = [
            each
            for each in self.stand_ins
            if each.user == user and each.from_at <= at < each.until_at and each.form in ("", form)
        ]
        best = max(found, key=lambda each: (each.form != "", each.id), default=None)
        return None if best is None else best.to_user

    def above(self, department: int | None) -> Iterator[Department]:
        """The department and those above it, from the bottom; a circle ends where it closes."""
        seen: set[int] = set()
        while department is not None and department not in seen and department in self.departments:
            seen.add(department)
            yield self.departments[department]
            department = self.departments[department].parent


NOBODY = Directory()
