"""Follow-up documents: what a rule asked for after the commit, submitted like any document, in the automation's role.

The outbox id makes it once: it is the idempotency key, and it is looked up before the push-down is worked out, because
after a first success the source has nothing open any more and the repetition would be refused instead of recognised.
"""

from __future__ import annotations

from engine.actor import automation
from engine.effects import StartDocument
from runtime.facade.documents import push
from runtime.facade.door import enter
from runtime.house import House
from runtime.storage import idempotency
from runtime.storage.database import read

ORIGIN = "auto"


def start_document(house: House, workspace: str, effect: StartDocument, outbox_id: int) -> None:
    """Push down from the source and carry out the action asked for; a repetition changes nothing.

    Raises ``Refused`` as any submission does.
    """
    door = enter(house, workspace, automation())
    key = f"outbox:{outbox_id}"
    with read(door.workspace.database) as connection:
        if idempotency.find(connection, key, door.actor.user) is not None:
            return
    push(
        door,
        effect.source_form,
        effect.source_document,
        effect.form,
        effect.variant,
        action=effect.action,
        idempotency_key=key,
        origin=ORIGIN,
    )
