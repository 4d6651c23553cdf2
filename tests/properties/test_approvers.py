"""Any house and any stand-ins: only people who are there are asked, each once, and nobody's say is lost or doubled."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.definitions.people import Chosen, Who
from engine.workflow.approvers import Context, merged, resolve, stands_for
from engine.workflow.directory import Department, Directory, Person, StandIn
from engine.workflow.stand_ins import at_once, circle

NOW = datetime(2026, 1, 20, 9)
FORMS = ("", "order", "receipt")
ROLES = ("keeper", "boss")
users = st.integers(1, 6)
hours = st.integers(-48, 48)


@st.composite
def stand_ins(draw: st.DrawFn) -> StandIn:
    begins = NOW + timedelta(hours=draw(hours))
    return StandIn(
        id=draw(st.integers(1, 99)),
        user=draw(users),
        to_user=draw(users),
        form=draw(st.sampled_from(FORMS)),
        from_at=begins,
        until_at=begins + timedelta(hours=draw(st.integers(1, 72))),
    )


@st.composite
def houses(draw: st.DrawFn) -> Directory:
    people = {
        number: Person(
            id=number,
            login=f"u{number}",
            name=f"U{number}",
            department=draw(st.none() | st.integers(1, 4)),
            active=draw(st.booleans()),
            roles=draw(st.frozensets(st.sampled_from(ROLES))),
        )
        for number in range(1, 7)
    }
    departments = {
        number: Department(
            id=number,
            parent=draw(st.none() | st.integers(1, 4)),
            head=draw(st.none() | users),
        )
        for number in range(1, 5)
    }
    return Directory(people=people, departments=departments, stand_ins=tuple(draw(st.lists(stand_ins(), max_size=8))))


ways = st.one_of(
    st.builds(Who, role=st.sampled_from(ROLES)),
    st.just(Who(member=("u1", "u2", "u6", "nobody"))),
    st.just(Who(department_head=True)),
    st.builds(Who, supervisor=st.integers(1, 4)),
    st.builds(Who, supervisors_up_to=st.sampled_from(ROLES)),
    st.just(Who(initiator=True)),
    st.builds(Who, chosen=st.builds(Chosen, role=st.none() | st.sampled_from(ROLES), most=st.integers(1, 3))),
    st.just(Who(field="owner")),
)


@st.composite
def contexts(draw: st.DrawFn, house: Directory) -> Context:
    starter = draw(users)
    return Context(
        starter=starter,
        department=house.people[starter].department,
        chosen=tuple(draw(st.lists(users, max_size=4))),
        form=draw(st.sampled_from(FORMS[1:])),
        at=NOW,
        pool=draw(st.booleans()),
        apart=draw(st.booleans()),
    )


@given(st.data(), houses())
def test_people_who_are_there_are_asked_once(data: st.DataObject, house: Directory) -> None:
    context = data.draw(contexts(house))
    several = [
        resolve(way, context, house, data.draw(st.none() | users)) for way in data.draw(st.lists(ways, max_size=3))
    ]
    found = merged(one for asked in several for one in asked or ())
    users_asked = [one.user for one in found if one.user is not None]
    says = [who for one in found for who in stands_for(one)]
    assert all(house.active(user) for user in users_asked)
    assert len(users_asked) == len(set(users_asked))
    assert len(says) == len(set(says))
    for one in found:
        assert one.behalf is None or one.behalf not in one.also
        assert (one.user is None) != (one.role == "")
        if context.apart and one.user == context.starter:
            assert stands_for(one) == (context.starter,)
        if context.apart and one.user != context.starter:
            assert context.starter not in stands_for(one)


@given(st.data(), houses())
def test_a_pool_only_holds_people_who_may_decide(data: st.DataObject, house: Directory) -> None:
    context = data.draw(contexts(house))
    role = data.draw(st.sampled_from(ROLES))
    found = resolve(Who(role=role), context, house)
    if found and found[0].user is None:
        holders = house.by_role[role]
        assert context.pool and holders
        assert not (context.apart and context.starter in holders)
        alone = resolve(Who(member=tuple(f"u{each}" for each in holders)), context, house)
        assert alone is not None and [one.user for one in alone] == list(holders)


@given(st.lists(stand_ins(), max_size=10), hours)
def test_no_circle_comes_of_stand_ins_that_were_checked(wanted: list[StandIn], later: int) -> None:
    """Whoever stands for whom at whatever moment and form: following the chain always ends, without being cut."""
    kept: list[StandIn] = []
    for new in wanted:
        if new.user != new.to_user and at_once(new, kept) is None and not circle(new, kept):
            kept.append(new)
    house = Directory(
        people={number: Person(id=number, login=f"u{number}", name="U") for number in range(1, 7)},
        stand_ins=tuple(kept),
    )
    moment = NOW + timedelta(hours=later)
    for form in FORMS:
        for user in house.people:
            seen = [user]
            while (following := house.stand_in(seen[-1], form, moment)) is not None:
                assert following not in seen
                seen.append(following)
