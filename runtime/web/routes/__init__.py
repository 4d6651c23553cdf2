"""Routes by kind of page; each module has a function that builds its router."""

from __future__ import annotations

from fastapi import APIRouter

from runtime.web.routes.accounts import account_routes
from runtime.web.routes.balances import balance_routes
from runtime.web.routes.documents import document_routes
from runtime.web.routes.files import file_routes
from runtime.web.routes.finance import finance_routes
from runtime.web.routes.flows import flow_routes
from runtime.web.routes.home import home_routes
from runtime.web.routes.imports import import_routes
from runtime.web.routes.inbox import inbox_routes
from runtime.web.routes.lists import list_routes
from runtime.web.routes.lots import lot_routes
from runtime.web.routes.messages import message_routes
from runtime.web.routes.notices import notice_routes
from runtime.web.routes.outside import outside_routes
from runtime.web.routes.periods import period_routes
from runtime.web.routes.person import person_routes
from runtime.web.routes.rules import rule_routes
from runtime.web.routes.session import session_routes, sign_in_routes
from runtime.web.routes.stand_ins import stand_in_routes
from runtime.web.routes.stock import stock_routes
from runtime.web.routes.trying import trying_routes


def all_routes() -> tuple[APIRouter, ...]:
    """Every router, in order: a built-in page's name wins over a form of the same key."""
    return (
        sign_in_routes(),
        session_routes(),
        home_routes(),
        stock_routes(),
        lot_routes(),
        finance_routes(),
        balance_routes(),
        period_routes(),
        inbox_routes(),
        stand_in_routes(),
        flow_routes(),
        message_routes(),
        notice_routes(),
        person_routes(),
        account_routes(),
        outside_routes(),
        trying_routes(),
        rule_routes(),
        file_routes(),
        import_routes(),
        list_routes(),
        document_routes(),
    )
