"""Action nodes as the rules they amount to, so that consequences mean the same at a node as in a rule.

Such a rule is about the document of the workflow and always fires; its name is ``workflow.node``.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.definitions.file_kinds import RULES
from engine.definitions.load import Loaded
from engine.definitions.reading import Place
from engine.definitions.rule import RuleDef, When
from engine.definitions.workflow import ActionStep
from engine.definitions.workflow_tree import laid_out, nodes_in


def action_rule(node: ActionStep, workflow: str, form: str) -> RuleDef:
    """The rule ``node`` amounts to. It is not written in a file of its own, so its key need not be one."""
    when = When(form=form, flow=("arrived",))
    return RuleDef.model_construct(rule=f"{workflow}.{node.key}", label=node.label, when=when, then=node.then)


def consequential(loaded: Loaded) -> Iterator[tuple[RuleDef, Place]]:
    """Every rule and every action node, with the place its ``then`` stands at."""
    for key, rule in loaded.rules.items():
        yield rule, Place(RULES, key, ())
    for key, workflow in loaded.workflows.items():
        for _, node, at in nodes_in(laid_out(workflow, {})):
            if isinstance(node, ActionStep):
                yield action_rule(node, key, workflow.form), at
