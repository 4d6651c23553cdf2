"""``call_plugin`` effects: an action of a plugin, with parameters that were evaluated when it was decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from types import MappingProxyType

from engine.effects import CallPlugin
from engine.problems import Refused, problem, suggestion
from runtime.hookspecs import Occasion, Outside, Plugins, Undelivered
from runtime.jobs.contract import Workspace
from runtime.jobs.deliver import Performer, effect_of
from runtime.storage.outbox import OutboxRow


def plugin_performers(
    plugins: Plugins, outside: Outside, clock: Callable[[], datetime], zone: tzinfo
) -> Mapping[str, Performer]:
    """The performer of ``call_plugin``."""

    def call(workspace: Workspace, row: OutboxRow) -> None:
        effect = effect_of(row)
        assert isinstance(effect, CallPlugin)
        action = plugins.actions.get(effect.use)
        if action is None:
            known = suggestion(effect.use, plugins.actions)
            raise Refused([problem("plugin.unknown_action", name=effect.use, **known)])
        occasion = Occasion(
            key=f"outbox:{row.id}",
            workspace=workspace.key,
            form=effect.form,
            document=effect.document or 0,
            at=clock().replace(tzinfo=zone),
        )
        try:
            action.perform(effect.params, occasion, outside)
        except Undelivered as failure:
            if failure.again:
                raise
            raise Refused([problem("plugin.refused", name=effect.use, reason=failure.reason)]) from failure

    return MappingProxyType({CallPlugin.kind: call})
