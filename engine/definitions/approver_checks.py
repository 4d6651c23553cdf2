"""Checks of the people workflows name: each way by itself, votes that can be won, plugins there are."""

from __future__ import annotations

from collections.abc import Iterator

from engine.definitions.compiled import AppBundle
from engine.definitions.course_checks import first_nodes
from engine.definitions.load import Loaded
from engine.definitions.people import Who
from engine.definitions.process_checks import member_field
from engine.definitions.reading import Place
from engine.definitions.references import complaint, unknown, unknown_role
from engine.definitions.rule_proofs import plugin_used
from engine.definitions.workflow import ApproveStep, Asking, Keyed, NotifyStep
from engine.definitions.workflow_checks import own_nodes
from engine.definitions.workflow_tree import laid_out, nodes_in
from engine.problems import Problem


def ways_of(node: Keyed, at: Place) -> Iterator[tuple[Who, Place]]:
    """Every way a node names people, its deadlines included, and where it is written."""
    if isinstance(node, Asking):
        for number, who in enumerate(node.persons):
            yield who, at / "by" / number if isinstance(node.by, tuple) else at / "by"
        for number, deadline in enumerate(node.deadlines):
            if deadline.to is not None:
                yield deadline.to, at / "deadlines" / number / "to"
    elif isinstance(node, NotifyStep):
        for number, who in enumerate(node.persons):
            yield who, at / "to" / number if isinstance(node.to, tuple) else at / "to"


def approvers_can_be_found(loaded: Loaded) -> Iterator[Problem]:
    """A way to name people is one way: a role that exists, a member field of the form, logins, a supervisor …"""
    for workflow in loaded.workflows.values():
        for _, node, at in own_nodes(workflow):
            ways = list(ways_of(node, at))
            if isinstance(node, Asking | NotifyStep) and not node.persons:
                place = at / "by" if isinstance(node, Asking) else at / "to"
                yield complaint(loaded, place, "definition.one_approver", key=True)
            for who, place in ways:
                if len(who.given()) != 1:
                    yield complaint(loaded, place, "definition.one_approver", key=True)
                yield from unknown_role(loaded, place / "role", who.role)
                yield from unknown_role(loaded, place / "supervisors_up_to", who.supervisors_up_to)
                if who.chosen is not None:
                    yield from unknown_role(loaded, place / "chosen" / "role", who.chosen.role)
                if who.field is not None and "." not in who.field:
                    yield from member_field(loaded, place / "field", workflow.form, who.field)
                if who.chosen is not None and "deadlines" in place.path:
                    yield complaint(loaded, place / "chosen", "definition.chosen_by_nobody", key=True)
                if who.resolver is not None and "deadlines" in place.path:
                    yield complaint(loaded, place / "resolver", "definition.resolver_in_deadline", key=True)


def choosers_come_before(loaded: Loaded) -> Iterator[Problem]:
    """Whoever decided before can pick nobody for the first node."""
    for workflow in loaded.workflows.values():
        if workflow.start == "called":
            continue
        laid = laid_out(workflow, loaded.workflows)
        first, _ = first_nodes(tuple(each.step for each in laid))
        for _, node, at in nodes_in(laid):
            for who, place in ways_of(node, at):
                if node.key in first and who.chosen is not None and who.chosen.by == "previous":
                    yield complaint(loaded, place / "chosen", "definition.nobody_before", key=True)


def votes_can_be_won(loaded: Loaded) -> Iterator[Problem]:
    """A vote is counted in one way, its roles exist, and there are as many people as it needs."""
    for workflow in loaded.workflows.values():
        for _, node, at in own_nodes(workflow):
            if not isinstance(node, ApproveStep):
                continue
            if node.mode == "vote" and node.vote is None:
                yield complaint(loaded, at / "mode", "definition.vote_missing", key=True)
            if node.vote is None:
                continue
            place = at / "vote"
            if node.mode != "vote":
                yield complaint(loaded, place, "definition.vote_unused", key=True, mode=node.mode)
            given = [each for each in (node.vote.count, node.vote.percent, node.vote.weight) if each is not None]
            if len(given) != 1:
                yield complaint(loaded, place, "definition.one_count", key=True)
            if node.vote.weights and node.vote.weight is None:
                yield complaint(loaded, place / "weights", "definition.weights_unused", key=True)
            for index, role in enumerate(node.vote.veto):
                yield from unknown_role(loaded, place / "veto" / index, role)
            for role in node.vote.weights:
                yield from unknown(
                    loaded, place / "weights" / role, "definition.unknown_role", role, loaded.roles, key=True
                )
            most = _most(node)
            if most is not None and node.vote.count is not None and node.vote.count > most:
                yield complaint(loaded, place / "count", "definition.vote_impossible", most=most)


def _most(node: ApproveStep) -> int | None:
    """How many people the node can ask at most; None when that is not known."""
    total = 0
    for who in node.persons:
        if who.role is not None or who.supervisors_up_to is not None or who.resolver is not None:
            return None
        if who.member is not None:
            total += len(who.member) if isinstance(who.member, tuple) else 1
        else:
            total += who.chosen.most if who.chosen is not None else 1
    return total


def plugins_are_there(loaded: Loaded, bundle: AppBundle) -> Iterator[Problem]:
    """Resolvers a workflow asks are installed, and get the parameters they need."""
    for workflow in loaded.workflows.values():
        for _, node, at in own_nodes(workflow):
            for who, place in ways_of(node, at):
                if who.resolver is not None:
                    resolvers, way = bundle.kinds.resolvers, who.resolver
                    yield from plugin_used(loaded, place / "resolver", resolvers, way.use, way.params)
