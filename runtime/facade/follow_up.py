"""Follow-up documents: what a rule's ``start`` asks for, as an ordinary submission by the automation role.

Idempotent under the outbox id. It is looked up before the push-down is worked out, because after a first success the
source has less open, or nothing: the repetition would not be recognised as the same request.
"""

from __future__ import annotations

from engine.actor import automation
from engine.effects import StartDocument
from engine.problems import Refused
from runtime.facade.documents import push
from runtime.facade.door import enter
from runtime.house import House
from runtime.jobs.deliver import StartFollowUp
from runtime.storage import idempotency
from runtime.storage.database import read

NOTHING_TO_DO = "document.nothing_open"


def follow_up(house: House) -> StartFollowUp:
    """The performer of ``StartDocument`` effects for one house."""

    def start(workspace: str, effect: StartDocument, outbox_id: int) -> None:
        door = enter(house, workspace, automation())
        key = f"outbox:{outbox_id}"
        with read(door.workspace.database) as connection:
            if idempotency.find(connection, key, door.actor.user) is not None:
                return
        try:
            push(
                door,
                effect.source_form,
                effect.source_document,
                effect.form,
                effect.variant,
                action=effect.action,
                idempotency_key=key,
                origin="auto",
                chain=effect.chain,
            )
        except Refused as refused:
            if not all(one.code == NOTHING_TO_DO for one in refused.problems):
                raise

    return start
