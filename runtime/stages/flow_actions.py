"""What nodes do to the document of their run: action nodes as the rules they amount to, sub-flows what they bring back.

It is done while the run is walked, so that whatever is asked behind such a node is asked of the document as the node
left it. Nothing is written before the move is found to be possible; then it is one change, made by the product.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from engine.definitions.compiled import CompiledWorkflow
from engine.definitions.workflow import SubflowStep
from engine.document import Document
from engine.effects import Effect
from engine.environment import Linked, Scene, scene
from engine.expressions import EvaluationFailed, evaluate
from engine.expressions.types import Row
from engine.forms.complete import computed
from engine.problems import Refused
from engine.rules.consequences import Firing, Followed, effects_of, follow
from engine.rules.facts import document_facts, flow_names
from engine.rules.loops import cut
from engine.rules.verdict import SetField
from engine.workflow.answers import Unanswerable
from runtime.stages.judge_sets import with_sets
from runtime.stages.judge_world import LiveWorld
from runtime.stages.steps import Unit, Written, load_linked
from runtime.stages.write import changes_between
from runtime.storage import documents, history
from runtime.storage.history import HistoryRow
from runtime.storage.search_text import searchable

ARRIVED = "arrived"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The document after nodes have changed it, and the submission with the names that match it."""

    written: Written
    document: Document


class Doing:
    """The nodes of one move that change the document. Nothing is written, nor anything followed, before `kept`.

    Attributes:
        names: of the document, as header expressions see them; they follow every change. starter: the submitter.
        effects: what else the action nodes ask for, in the order they were passed.
    """

    def __init__(
        self,
        unit: Unit,
        flow: CompiledWorkflow,
        document: Document,
        seen: Scene,
        linked: Linked,
        chain: tuple[str, ...] = (),
    ) -> None:
        self.names: dict[str, object] = dict(seen.header)
        self.effects: list[Effect] = []
        self.starter = 0
        self._unit, self._flow, self._chain = unit, flow, chain
        self._form, self._before, self._document = unit.form(document.form), document, document
        self._scene, self._linked = seen, linked
        self._world = LiveWorld(unit)

    def node(self, node: str, children: Sequence[int]) -> None:
        """Do what the node does; all of it or nothing.

        Raises:
            Unanswerable: a value cannot be worked out, or actions have woken each other too often.
        """
        step = self._flow.nodes[node]
        try:
            if isinstance(step, SubflowStep):
                self._set(self._brought_back(step, children))
            elif node in self._flow.actions:
                self._follow(node)
        except EvaluationFailed as failed:
            raise Unanswerable(failed.problem) from failed
        except Refused as refused:
            raise Unanswerable(refused.problems[0]) from refused

    def kept(self, written: Written) -> Kept:
        """Write what was set, formulas included, as a change of its own; ``written``: the submission before."""
        unit, form, before = self._unit, self._form, self._before
        if self._document == before:
            return Kept(written=written, document=before)
        stored = documents.update(
            unit.connection,
            unit.tables,
            before,
            self._document,
            searchable(form, self._document),
            unit.now,
            modifier=unit.around.actor.user,
        )
        row = HistoryRow(
            form=form.key,
            document=stored.id or 0,
            version=stored.version,
            at=unit.now,
            user=0,
            user_name=self._flow.definition.label.zh,
            action="update",
            changes=changes_between(form, before, stored),
            reason="",
            origin="auto",
        )
        history.append(unit.connection, [row])
        names = replace(self._scene, header={**self._scene.header, "version": stored.version})
        return Kept(written=replace(written, document=stored, scene=names), document=stored)

    def _follow(self, node: str) -> None:
        rule, chain = self._flow.actions[node], self._chain
        too_long = cut(chain, rule.definition.rule)
        if too_long is not None:
            raise Unanswerable(too_long)
        about = document_facts(
            self._document, self.names, trigger=ARRIVED, chain=chain, more=flow_names(ARRIVED, node)
        )  # fmt: skip
        facts = replace(about, starter=self.starter)
        firing = Firing(
            rule=rule, facts=facts, names=facts.names, once_key="", world=self._world, clock=self._unit.around.clock
        )
        made = Followed()
        follow(firing, made)
        self._set(made.sets)
        self.effects += effects_of(firing, made)

    def _set(self, sets: Sequence[SetField]) -> None:
        form = self._form
        draft = with_sets(form, self._document, sets)
        if draft == self._document:
            return
        linked = load_linked(self._unit, form, (draft,), self._linked)
        made, failures, names = computed(draft, form, linked, self._unit.around)
        if failures:
            raise Refused(failures)
        self._document, self._scene, self._linked = made, names, linked
        self.names.update(names.header)

    def _brought_back(self, step: SubflowStep, children: Sequence[int]) -> list[SetField]:
        """Values of the last of the documents that was agreed to."""
        unit = self._unit
        child = (
            documents.load(unit.connection, unit.tables, step.form, children[-1]) if step.back and children else None
        )
        if child is None:
            return []
        names = {**self.names, "child": Row(id=child.id, values=_names(unit, child))}
        return [
            SetField(path=name, value=evaluate(checked, names, unit.around.clock))
            for name in step.back
            if (checked := self._flow.expressions.get((step.key, f"back.{name}"))) is not None
        ]


def _names(unit: Unit, document: Document) -> Mapping[str, object]:
    form = unit.form(document.form)
    return scene(form, document, load_linked(unit, form, (document,)), unit.around).header
