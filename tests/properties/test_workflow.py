"""Any flow and anything people do with it: no deadlock, no lost task, nobody acts without right, no lost history."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.definitions.workflow import STEP_ACTIONS, InclusiveStep, ParallelStep, SubflowStep, WaitStep
from engine.workflow.advanced import Advanced, Offer, Viewer
from engine.workflow.layout import Layout
from engine.workflow.migrate import migrate
from engine.workflow.move import Move, MoveKind
from engine.workflow.offers import offers
from engine.workflow.replay import replayed
from engine.workflow.rights import PRODUCT_MOVES, SEAT_MOVES
from engine.workflow.state import Entry, Run, RunStatus, SeatState, Token, TokenState
from engine.workflow.stored import entry_from_json, entry_json, run_from_json, run_json
from engine.workflow.walk import begin, make
from tests.flow_world import START, World, flow_of

STARTER, ADMINISTRATOR = 1, 90
NOBODY_ELSE = 8  # never submits, so that no node excludes this person
USERS = (1, 2, 3, 4, 5, 6)
ROLES = {"one": [2, 3], "two": [1, 4], "none": []}
CONDITIONS = ("c0", "c1", "c2", "c2", "not c0", "unknown")
UNANSWERABLE = frozenset({"workflow.nobody", "workflow.wait_never", "expression.unknown_name"})
LIVE = (SeatState.OPEN, SeatState.QUEUED)

somebody = st.sampled_from([*USERS, *USERS, "role one", "role two", "5 for 4", "6 weighs 3", "3 veto"])
several = st.lists(somebody, min_size=1, max_size=3)
people = st.integers(0, 15).flatmap(lambda n: st.sampled_from(([], None, "fails")) if n == 15 else several)
deadline = st.fixed_dictionaries(
    {
        "hours": st.integers(1, 50),
        "then": st.sampled_from(("remind", "escalate", "agree", "reject", "transfer")),
        "to": st.just({"role": "one"}),
    }
) | st.just({"hours": 3, "every": 2})
asking = {
    "empty": st.sampled_from(("block", "skip", "admin")),
    "own": st.sampled_from(("allow", "skip", "exclude")),
    "deadlines": st.lists(deadline, max_size=2),
    "comment": st.sampled_from(("optional", "optional", "optional", "required", "signature")),
    "actions": st.sampled_from([list(STEP_ACTIONS), list(STEP_ACTIONS), ["return", "transfer"], []]),
}
vote = st.sampled_from(({"count": 2}, {"percent": 60}, {"weight": 3}))
approving = st.fixed_dictionaries(
    {
        "approve": st.just("?"),
        "mode": st.sampled_from(("any", "all", "sequence", "vote")),
        "vote": vote,
        "reject": st.sampled_from(("initiator", "previous", "end")),
        "after_return": st.sampled_from(("again", "back", "choose")),
        "by": st.just({"role": "one"})
        | st.sampled_from(({"chosen": {"by": "initiator", "most": 3}}, {"chosen": {"by": "previous", "most": 3}})),
        **asking,
    }
)
filling = st.fixed_dictionaries({"fill": st.just("?"), "mode": st.sampled_from(("any", "all", "sequence")), **asking})
automatic = st.one_of(
    st.sampled_from(({"notify": "?"}, {"action": "?"}, {"end": "approved"}, {"end": "rejected"})),
    st.sampled_from(({"wait": "?", "hours": 5}, {"wait": "?", "event": "paid"}, {"wait": "?", "until": "due"})),
    st.fixed_dictionaries(
        {
            "subflow": st.just("?"),
            "wait": st.sampled_from(("all", "any", "none")),
            "rejected": st.sampled_from(("reject", "continue")),
        }
    ),
)
simple = st.integers(0, 9).flatmap(lambda n: automatic if n > 7 else filling if n == 7 else approving)


def branching(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A branching step over lists of steps."""
    lists = st.lists(inner, max_size=2)
    arm = lists | st.fixed_dictionaries({"when": st.sampled_from(CONDITIONS), "steps": lists})
    arms = st.lists(arm, min_size=1, max_size=3)
    return (
        st.fixed_dictionaries({"branch": arms})
        | st.fixed_dictionaries({"inclusive": arms})
        | st.fixed_dictionaries({"parallel": arms, "join": st.sampled_from(("all", "any", 2))})
    )


steps = st.lists(st.recursive(simple, branching, max_leaves=4), min_size=2, max_size=4)


def named(raw: list[Any], numbers: Iterator[int]) -> list[Any]:
    """The steps with a key for each node."""
    found = []
    for step in raw:
        step = {name: f"n{next(numbers)}" if value == "?" else value for name, value in step.items()}
        for kind in ("branch", "inclusive", "parallel"):
            if kind in step:
                step[kind] = [
                    named(arm, numbers) if isinstance(arm, list) else arm | {"steps": named(arm["steps"], numbers)}
                    for arm in step[kind]
                ]
        found.append({name: value for name, value in step.items() if name != "vote" or step.get("mode") == "vote"})
    return found


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A flow, and a world it stands in."""
    raw = {
        "steps": named(draw(steps), iter(range(1000))),
        "withdraw": draw(st.sampled_from(("first", "any", "never"))),
        "dedupe": draw(st.sampled_from(("never", "adjacent", "always"))),
    }
    flow = flow_of(raw)
    persons = {node: draw(people) for node in flow.nodes}
    persons |= {f"{node}#{number}": draw(people) or [] for node in flow.nodes for number in (0, 1)}
    values = {"c0": draw(st.booleans()), "c1": draw(st.booleans()), "c2": True}
    return World(
        flow,
        persons_of=persons,
        holders=ROLES,
        values=values | {"due": draw(st.sampled_from((7, -7, None)))},
        admins=draw(st.sampled_from(((), (ADMINISTRATOR,)))),
        stand_ins=draw(st.sampled_from(({}, {4: 5, 6: 1, 8: 2}))),
    )


@dataclass(slots=True)
class Story:
    """A run, its log, and the tasks that were opened and ended."""

    world: World
    run: Run
    clock: datetime = START
    entries: list[Entry] = field(default_factory=list)
    opened: int = 0
    ended: int = 0
    gone: set[int] = field(default_factory=set)

    def take(self, outcome: Advanced) -> None:
        """Accept an outcome, and look whether everything still holds."""
        before = self.run
        self.run = outcome.run
        assert outcome.entry is not None
        self.entries.append(entry_from_json(json.loads(json.dumps(entry_json(outcome.entry)))))
        self.opened += len(outcome.opened)
        self.ended += len(outcome.ended)
        self.gone |= {token.id for token in before.tokens} - {token.id for token in self.run.tokens}
        assert not self.gone & {token.id for token in self.run.tokens}, "the number of a place was used again"
        assert {seat.id for seat in before.seats} <= {seat.id for seat in self.run.seats}
        assert self.opened - self.ended == len(self.run.open_seats()), "a task was lost"
        sound(self.world, self.run)
        assert run_from_json(json.loads(json.dumps(run_json(self.run)))) == self.run
        assert replayed(self.world.flow, "s", STARTER, self.entries) == self.run

    def later(self, hours: float) -> datetime:
        """The clock goes on."""
        self.clock += timedelta(hours=hours)
        return self.clock


def sound(world: World, run: Run) -> None:
    """What holds of every run between two moves."""
    numbers = [each.id for each in (*run.tokens, *run.seats)]
    assert len(numbers) == len(set(numbers))
    assert max(numbers, default=0) < run.next_id
    if run.status is not RunStatus.RUNNING:
        assert run.tokens == () and run.joins == ()
        assert not [seat for seat in run.seats if seat.state in LIVE]
        return
    assert run.tokens, "it runs and stands nowhere"
    standing = {token.id for token in run.tokens}
    assert all(seat.token in standing for seat in run.seats if seat.state in LIVE)
    for token in run.tokens:
        assert hopeful(world, run, token), f"nothing can happen at {token}"
        for depth in range(1, len(token.path), 2):
            step = step_at(world, token.path[:depth])
            if isinstance(step, ParallelStep | InclusiveStep):
                join = next(join for join in run.joins if join.path == token.path[:depth])
                assert token.path[depth] in join.started and token.path[depth] not in join.ended
    joins = {join.path for join in run.joins}
    assert all(any(token.path[: len(path)] == path for token in run.tokens) for path in joins), "a join nobody ends"


def step_at(world: World, path: tuple[int, ...]) -> object:
    """The step at ``path``."""
    return Layout(world.flow).at(path)


def hopeful(world: World, run: Run, token: Token) -> bool:
    """Whether something can still happen at the place."""
    if token.state is TokenState.PEOPLE:
        return any(seat.token == token.id for seat in run.open_seats())
    if token.state is TokenState.STUCK:
        return token.reason is not None
    if token.state is TokenState.TIME:
        return bool(token.due)
    return token.state in (TokenState.EVENT, TokenState.CHILDREN, TokenState.NAMES)


def viewers(world: World, at: datetime) -> list[Viewer]:
    """Everybody who might act."""
    found = [
        Viewer(user=user, roles=frozenset(role for role, held in world.holders.items() if user in held), at=at)
        for user in (*USERS, 7)
    ]
    return [*found, Viewer(user=ADMINISTRATOR, admin=True, at=at)]


def offered(world: World, run: Run, viewer: Viewer) -> list[Offer]:
    """What the viewer may do."""
    return [one for one in offers(world.flow, run, viewer) if one.refused is None]


def askable(world: World, run: Run, offer: Offer, by: int) -> list[int]:
    """Whom a move may name."""
    seat = run.seat(offer.seat)
    token = run.token(offer.token or (seat.token if seat else 0))
    step: Any = world.flow.nodes[token.node] if token is not None and token.node else None
    taken = {one.user for one in run.seats if token is not None and one.token == token.id and one.state in LIVE}
    if offer.kind is MoveKind.REASSIGN and not offer.seat:
        taken = set()
    elif offer.kind is not MoveKind.REASSIGN:
        taken.add(by)
    own = {run.starter} if step is not None and getattr(step, "own", "") == "exclude" else set()
    return [user for user in (*USERS, 7, 8) if user not in taken and user not in own]


def fitting(data: st.DataObject, story: Story, offer: Offer, viewer: Viewer) -> Move | None:
    """The offered move with everything it must carry; None where there is nobody to name."""
    run, kind = story.run, offer.kind
    facts: dict[str, Any] = {"comment": "well", "signature": 1, "admin": viewer.admin, "seat": offer.seat}
    if kind in (MoveKind.TRANSFER, MoveKind.DELEGATE, MoveKind.ADD_SIGN, MoveKind.REASSIGN):
        users = askable(story.world, run, offer, viewer.user)
        if not users:
            return None
        several = kind is MoveKind.ADD_SIGN or (kind is MoveKind.REASSIGN and not offer.seat)
        most = 3 if several else 1
        facts["users"] = tuple(data.draw(st.lists(st.sampled_from(users), min_size=1, max_size=most, unique=True)))
    if kind is MoveKind.REASSIGN and not offer.seat:
        facts["token"] = offer.token
        token = run.token(offer.token)
        asks = token is not None and token.node and hasattr(story.world.flow.nodes[token.node], "empty")
        if not asks or (token is not None and token.state is TokenState.STUCK and data.draw(st.booleans())):
            facts["users"] = ()
    if kind is MoveKind.ADD_SIGN:
        facts["place"] = data.draw(st.sampled_from(offer.places))
    if kind is MoveKind.REMOVE_SIGN:
        facts["users"] = (data.draw(st.sampled_from(offer.users)),)
    if kind is MoveKind.RETURN:
        facts["node"] = data.draw(st.sampled_from(offer.nodes))
        facts["back"] = offer.back and facts["node"] in offer.straight and data.draw(st.booleans())
    if kind is MoveKind.REACTIVATE and offer.nodes:
        facts["node"] = data.draw(st.sampled_from(("", *offer.nodes)))
        if not facts["node"] and set(chosen_at_start(story)) - set(run.chosen):
            return None
    facts["chosen"] = {node: (data.draw(st.sampled_from(USERS)),) for node in offer.chosen}
    return Move(kind=kind, by=viewer.user, at=story.later(0.1), **facts)


def chosen_at_start(story: Story) -> list[str]:
    """Nodes whose people the submitter picks."""
    asking_steps = [(key, getattr(step, "persons", ())) for key, step in story.world.flow.nodes.items()]
    return [key for key, whom in asking_steps for who in whom if who.chosen and who.chosen.by == "initiator"]


def by_itself(story: Story) -> list[Move]:
    """What could come by itself now."""
    found = []
    for token in story.run.tokens:
        step = story.world.flow.nodes.get(token.node)
        for due in token.due:
            late = max(story.clock, due.at)
            found.append(Move(kind=MoveKind.TIMER, by=0, at=late, token=token.id, timer=due.number))
        if token.state is TokenState.EVENT and isinstance(step, WaitStep):
            found.append(Move(kind=MoveKind.SIGNAL, by=0, at=story.clock, event=step.event or ""))
        if isinstance(step, SubflowStep) and token.state is TokenState.CHILDREN:
            children = tuple(one.id for one in token.children if not one.result)
            if not token.made:
                found.append(Move(kind=MoveKind.CHILD, by=0, at=story.clock, token=token.id, children=(5, 6)))
            for result in ("approved", "rejected"):
                if children:
                    move = Move(kind=MoveKind.CHILD, by=0, at=story.clock, token=token.id, children=children[:1])
                    found.append(replace(move, result=result))
        if token.state is TokenState.NAMES:
            found.append(Move(kind=MoveKind.NAMED, by=0, at=story.clock, token=token.id, users=(2, NOBODY_ELSE)))
    return found


def begun(data: st.DataObject, world: World) -> Story | None:
    """The run after it was submitted; None when that was refused."""
    empty = Story(world=world, run=Run(workflow="w", snapshot="s", starter=STARTER))
    chosen = dict.fromkeys(chosen_at_start(empty), (2, 3))
    outcome = begin(world.flow, "s", STARTER, world, START, chosen)
    if outcome.problems:
        assert outcome.entry is None
        assert {one.code for one in outcome.problems} <= UNANSWERABLE
        return None
    story = empty
    story.take(outcome)
    return story


def one_offered(data: st.DataObject, story: Story) -> None:
    """Somebody does something that is offered; it is accepted."""
    dull = (MoveKind.COMMENT, MoveKind.TERMINATE, MoveKind.URGE)  # tried by chance only
    choices: dict[MoveKind, list[tuple[Viewer, Offer]]] = {}
    for viewer in viewers(story.world, story.clock):
        for one in offered(story.world, story.run, viewer):
            if one.kind not in dull:
                choices.setdefault(one.kind, []).append((viewer, one))
    if not choices:
        return
    ending = (MoveKind.REJECT, MoveKind.WITHDRAW, MoveKind.REASSIGN)
    going = [kind for kind in sorted(choices) if kind not in ending] if data.draw(st.integers(0, 4)) else []
    kind = data.draw(st.sampled_from(going or sorted(choices)))
    viewer, offer = data.draw(st.sampled_from(choices[kind]))
    move = fitting(data, story, offer, viewer)
    if move is None:
        return
    outcome = make(story.world.flow, story.run, move, story.world)
    if outcome.problems:
        assert {one.code for one in outcome.problems} <= UNANSWERABLE, f"{move} was offered: {outcome.problems}"
        assert outcome.run == story.run
        return
    story.take(outcome)


def one_by_chance(data: st.DataObject, story: Story) -> None:
    """Somebody tries something; when it is accepted, it was offered."""
    world, run = story.world, story.run
    viewer = data.draw(st.sampled_from(viewers(world, story.clock)))
    kind = data.draw(st.sampled_from([kind for kind in MoveKind if kind not in (MoveKind.MIGRATE,)]))
    numbers = [0, *(seat.id for seat in run.seats)]
    move = Move(
        kind=kind,
        by=viewer.user,
        at=story.later(0.1),
        seat=data.draw(st.sampled_from(numbers)),
        token=data.draw(st.sampled_from([0, *(token.id for token in run.tokens)])),
        users=tuple(data.draw(st.lists(st.sampled_from(USERS), max_size=2))),
        node=data.draw(st.sampled_from(["", *world.flow.nodes])),
        place=data.draw(st.sampled_from(["before", "after", "beside", ""])),
        back=data.draw(st.booleans()),
        comment=data.draw(st.sampled_from(["", "well"])),
        signature=data.draw(st.sampled_from([None, 1])),
        admin=viewer.admin,
    )
    allowed = offered(world, run, replace(viewer, at=move.at))
    outcome = make(world.flow, run, move, world)
    if outcome.entry is None:
        assert outcome.run == run and outcome.opened == outcome.ended == ()
        return
    assert kind not in PRODUCT_MOVES, "people told what only the product may tell"
    seats = {one.seat for one in allowed if one.kind is kind}
    assert move.seat in seats or (move.seat == 0 and seats) or (kind not in SEAT_MOVES and seats), f"{move} not offered"
    story.take(outcome)


def something_changes(data: st.DataObject, story: Story) -> None:
    """The document or the people change."""
    world = story.world
    world.values["c0"] = data.draw(st.booleans())
    world.values["due"] = data.draw(st.sampled_from((7, None)))
    if world.flow.nodes:
        world.persons_of[data.draw(st.sampled_from(sorted(world.flow.nodes)))] = data.draw(people)


def one_by_itself(data: st.DataObject, story: Story) -> None:
    """A deadline, an event or a child; the same once more changes nothing."""
    moves = by_itself(story)
    if not moves:
        return
    move = data.draw(st.sampled_from(moves))
    story.clock = max(story.clock, move.at)
    outcome = make(story.world.flow, story.run, move, story.world)
    assert outcome.problems == (), outcome.problems
    assert outcome.entry is not None
    story.take(outcome)
    if move.kind is not MoveKind.SIGNAL:
        again = make(story.world.flow, story.run, move, story.world)
        assert again == Advanced(run=story.run), "the same came twice"


def to_the_end(story: Story) -> None:
    """Whatever has happened, it can be brought to an end by those who are asked and an administrator."""
    world = story.world
    for node in world.flow.nodes:
        world.persons_of[node] = [NOBODY_ELSE]
    world.values |= {"c0": True, "due": -7, "unknown": True}
    for _ in range(200):
        if story.run.status is not RunStatus.RUNNING:
            return
        moves = by_itself(story)
        stuck = [token for token in story.run.tokens if token.state is TokenState.STUCK]
        if stuck:
            move = Move(kind=MoveKind.REASSIGN, by=ADMINISTRATOR, at=story.clock, token=stuck[0].id, admin=True)
        elif story.run.open_seats():
            seat = story.run.open_seats()[0]
            holders = world.holders.get(seat.role, [])
            user = seat.user or next((one for one in holders if one != story.run.starter), 0)
            kind = MoveKind.AGREE if user else MoveKind.TERMINATE  # a pool of nobody but the excluded submitter
            chosen = choices_of(story, user)
            move = Move(
                kind=kind, by=user or ADMINISTRATOR, at=story.clock, seat=seat.id if user else 0, comment="well",
                signature=1, chosen=chosen, admin=not user,
            )  # fmt: skip
        else:
            move = next(one for one in moves if one.result != "rejected")
            story.clock = max(story.clock, move.at)
        outcome = make(world.flow, story.run, move, world)
        assert outcome.entry is not None, f"{move}: {outcome.problems}"
        story.take(outcome)
    raise AssertionError("it does not end")


def choices_of(story: Story, user: int) -> dict[str, tuple[int, ...]]:
    """Whom the user must pick when agreeing at the first open seat."""
    roles = frozenset(role for role, held in story.world.holders.items() if user in held)
    seat = story.run.open_seats()[0].id
    made = offered(story.world, story.run, Viewer(user=user, roles=roles, at=story.clock))
    offer = next((one for one in made if one.kind is MoveKind.AGREE and one.seat == seat), None)
    return dict.fromkeys(offer.chosen, (2,)) if offer is not None else {}


QUIET = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


@QUIET
@given(worlds(), st.data())
def test_nothing_is_lost_and_nothing_hangs(world: World, data: st.DataObject) -> None:
    """Random moves of every sort, then on to the end."""
    story = begun(data, world)
    if story is None:
        return
    for _ in range(data.draw(st.integers(4, 14))):
        what = data.draw(st.sampled_from((one_offered, one_offered, one_by_chance, one_by_itself, something_changes)))
        what(data, story)
    if story.run.status is RunStatus.RUNNING:
        to_the_end(story)
    assert story.run.status is not RunStatus.RUNNING


@QUIET
@given(worlds(), st.data())
def test_offers_and_moves_agree(world: World, data: st.DataObject) -> None:
    """Only what people are offered, and what they merely try."""
    story = begun(data, world)
    if story is None:
        return
    for _ in range(data.draw(st.integers(4, 12))):
        one_offered(data, story)
        one_by_chance(data, story)


@settings(QUIET, max_examples=50)
@given(worlds(), steps, st.data())
def test_a_moved_run_goes_on(world: World, later: list[Any], data: st.DataObject) -> None:
    """Migrated to any other flow it is either refused, or sound and able to end."""
    story = begun(data, world)
    if story is None:
        return
    for _ in range(data.draw(st.integers(1, 5))):
        one_offered(data, story)
    flow = flow_of({"steps": named(later, iter(range(1000)))})
    people_of = [key for key, step in flow.nodes.items() if hasattr(step, "empty")]
    mapping = {
        token.node: data.draw(st.sampled_from(people_of)) for token in story.run.tokens if people_of and token.node
    }
    outcome = migrate(story.run, world.flow, flow, mapping, story.clock, ADMINISTRATOR)
    if outcome.problems:
        assert outcome.run == story.run
        return
    story.world.flow = flow
    story.take(outcome)
    to_the_end(story)
