"""Publishing in spite of red tests: who may, why they did, and the line of the audit log that keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.actor import Actor
from engine.definitions.compiled import AppBundle
from engine.permissions import is_administrator
from engine.problems import Refused, problem
from runtime.storage import accounts, audit
from runtime.storage.database import Connection, Database, read

EVENT = "publish.despite_tests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Despite:
    """Who publishes in spite of red tests, and the reason given; whether they may is asked when it is published."""

    user: int
    reason: str


def despite_tests(actor: Actor, reason: str) -> Despite:
    """The override of a person.

    Raises:
        Refused: ``forbidden`` for whoever does not administer the workspace, ``invalid`` without a reason.
    """
    if not is_administrator(actor):
        raise Refused([problem("publish.not_yours", person=actor.name)], "forbidden")
    if not reason.strip():
        raise Refused([problem("publish.reason_needed", "reason")])
    return Despite(user=actor.user, reason=reason.strip())


def despite_tests_of(database: Database, bundle: AppBundle, login: str, reason: str) -> Despite:
    """As `despite_tests`, for the account of this login.

    Raises:
        Refused: ``forbidden`` as well when there is no such account.
    """
    with read(database) as connection:
        user = accounts.user_by_login(connection, login) if login else None
        actor = accounts.actor_of(connection, user.id, bundle.app.app) if user is not None else None
    if actor is None:
        raise Refused([problem("publish.nobody")], "forbidden")
    return despite_tests(actor, reason)


def check_override(connection: Connection, bundle: AppBundle, despite: Despite) -> None:
    """Ask for the right and the reason, as they are when it is published.

    Raises:
        Refused: as `despite_tests_of`.
    """
    actor = accounts.actor_of(connection, despite.user, bundle.app.app)
    if actor is None:
        raise Refused([problem("publish.nobody")], "forbidden")
    despite_tests(actor, despite.reason)


def note_override(connection: Connection, bundle: AppBundle, despite: Despite, at: datetime) -> None:
    """Keep in the audit log what was published, by whom, why, and which tests were red."""
    tests = [f"{each.where} {each.code}" for each in bundle.red_tests]
    detail = {"snapshot": bundle.hash, "app": bundle.app.app, "reason": despite.reason, "tests": tests}
    audit.note(connection, at, despite.user, EVENT, detail)
