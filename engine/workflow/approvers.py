"""Whom a definition means: ways to name people → those who are asked, after leavers and stand-ins.

People who have left are never asked: whoever stands in for them is, else they are passed over. A result without
anybody is an answer; what it means is said at the node (``empty``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from engine.definitions.people import Chosen, Who
from engine.expressions import Row
from engine.workflow.directory import Directory
from engine.workflow.state import Asked, Seat


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What naming people depends on beside the directory.

    Attributes:
        names: of the document, as expressions see them.
        starter: the submitter. department: the one supervisors are counted from.
        chosen: those picked for the node (自选). named: those an external resolver named for it.
        form: whose document it is, for stand-ins of one form. at: when.
        pool: whether holders of a role may stay a pool, of which the first to come decides.
        apart: the submitter may not decide (``own`` is ``exclude`` or ``skip``): nobody's say comes to them, and
            theirs goes to nobody.
    """

    names: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    starter: int
    department: int | None = None
    chosen: tuple[int, ...] = ()
    named: tuple[int, ...] | None = None
    form: str = ""
    at: datetime
    pool: bool = False
    apart: bool = False


def resolve(who: Who, context: Context, directory: Directory, evaluated: object = None) -> tuple[Asked, ...] | None:
    """Those whom one way of naming people means; None when an external resolver has to be asked first.

    Args:
        evaluated: value of the way's ``field`` or ``expression``: a member, several, or nothing.
    """
    if who.resolver is not None and context.named is None:
        return None
    users = tuple(_meant(who, context, directory, evaluated))
    if who.role is not None and context.pool and _may_be_pool(users, context, directory):
        return (Asked(role=who.role),) if users else ()
    return asked(users, context, directory)


def asked(users: Iterable[int], context: Context, directory: Directory) -> tuple[Asked, ...]:
    """These people as they are asked: leavers passed over, stand-ins applied, everybody once and in order."""
    return merged(
        Asked(user=actual, behalf=None if actual == user else user)
        for user in users
        if (actual := _acting(user, context, directory)) is not None
    )


def merged(several: Iterable[Asked]) -> tuple[Asked, ...]:
    """Everybody once: who is asked for themselves and for absent people decides once for all of them.

    ``behalf`` stays empty for somebody who is asked for themselves; everybody else they speak for is in ``also``.
    """
    pools: dict[str, Asked] = {}
    spoken: dict[int, tuple[int, ...]] = {}
    order: list[int | str] = []
    for one in several:
        order.append(one.role if one.user is None else one.user)
        if one.user is None:
            pools[one.role] = one
        else:
            spoken[one.user] = tuple(dict.fromkeys((*spoken.get(one.user, ()), *stands_for(one))))
    return tuple(
        pools[each] if isinstance(each, str) else _speaking(each, spoken[each]) for each in dict.fromkeys(order)
    )


def _speaking(user: int, says: tuple[int, ...]) -> Asked:
    absent = tuple(who for who in says if who != user)
    if user in says:
        return Asked(user=user, also=absent)
    return Asked(user=user, behalf=absent[0], also=absent[1:])


def stands_for(one: Asked | Seat) -> tuple[int, ...]:
    """Everybody whose say it is: the absent people, and the user where asked for themselves."""
    own = (one.user,) if one.user is not None and one.behalf is None else ()
    return (*own, *((one.behalf,) if one.behalf is not None else ()), *one.also)


def _meant(who: Who, context: Context, directory: Directory, evaluated: object) -> Iterator[int]:
    """Users as the definition names them, before anybody stands in."""
    if who.role is not None:
        yield from _holders(who.role, context, directory)
    elif who.member is not None:
        logins = who.member if isinstance(who.member, tuple) else (who.member,)
        yield from (directory.by_login[login] for login in logins if login in directory.by_login)
    elif who.field is not None or who.expression is not None:
        yield from members_in(evaluated)
    elif who.department_head:
        yield from heads(context.department, context, directory)[:1]
    elif who.supervisor is not None:
        yield from supervisors(context, directory)[who.supervisor - 1 : who.supervisor]
    elif who.supervisors_up_to is not None:
        for user in supervisors(context, directory):
            yield user
            if directory.holds(user, who.supervisors_up_to):
                return
    elif who.initiator:
        yield context.starter
    elif who.chosen is not None:
        yield from picked(who.chosen, context.chosen, directory)
    elif who.resolver is not None:
        yield from context.named or ()


def members_in(value: object) -> tuple[int, ...]:
    """The users a value of an expression means."""
    if isinstance(value, Row):
        return (value.id,) if value.id is not None else ()
    if isinstance(value, int) and not isinstance(value, bool):
        return (value,)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(user for each in value for user in members_in(each))
    return ()


def picked(way: Chosen, users: Iterable[int], directory: Directory) -> tuple[int, ...]:
    """Those of ``users`` that may be picked, at most as many as the definition says."""
    allowed = [
        user for user in users if directory.active(user) and (way.role is None or directory.holds(user, way.role))
    ]
    return tuple(allowed[: way.most])


def heads(department: int | None, context: Context, directory: Directory) -> tuple[int, ...]:
    """Heads of the department and of those above it, from the bottom; one who left without a stand-in is no head."""
    found = (unit.head for unit in directory.above(department) if unit.head is not None)
    return tuple(dict.fromkeys(user for user in found if _acting(user, context, directory) is not None))


def supervisors(context: Context, directory: Directory) -> tuple[int, ...]:
    """The heads above the submitter, from the direct one; nobody is their own supervisor, nor counted twice."""
    return tuple(user for user in heads(context.department, context, directory) if user != context.starter)


def _holders(role: str, context: Context, directory: Directory) -> tuple[int, ...]:
    """Active holders, and those who left but have a stand-in, in order of their ids."""
    return tuple(
        number
        for number in sorted(directory.people)
        if role in directory.people[number].roles and _acting(number, context, directory) is not None
    )


def _may_be_pool(users: tuple[int, ...], context: Context, directory: Directory) -> bool:
    """A pool lets any holder decide, so nobody in it may be absent or, where forbidden, the submitter."""
    if context.apart and context.starter in users:
        return False
    return all(_acting(user, context, directory) == user for user in users)


def _acting(user: int, context: Context, directory: Directory) -> int | None:
    """Who acts for ``user``: the end of the chain of stand-ins, of those who may; None for nobody.

    A chain that leads back into itself ends with the last one before. People who have left, and the submitter where
    they must stay out, are passed on the way but do not keep it.
    """
    if context.apart and user == context.starter:
        return user if directory.active(user) else None
    chain = [user]
    while (following := directory.stand_in(chain[-1], context.form, context.at)) is not None:
        if following in chain:
            break
        chain.append(following)
    able = (each for each in reversed(chain) if directory.active(each))
    return next((each for each in able if not (context.apart and each == context.starter)), None)
