"""系统设置: users and their roles, departments. Administrators only; the facade refuses everybody else."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from engine.problems import Refused, problem
from runtime.facade import accounts, organisation
from runtime.web.dependencies import Natural, Posted, Visiting, number_in, text_of, texts_of
from runtime.web.pages import go_to, render, say
from runtime.web.site import site_of


def account_routes() -> APIRouter:
    """The routes of the settings page."""
    router = APIRouter(prefix="/w/{workspace}/{app}/settings")

    @router.get("")
    def show(request: Request, found: Visiting) -> Response:
        door = found.door
        departments = organisation.departments(door)
        return render(
            request,
            found,
            "settings/accounts.html",
            users=accounts.users(door),
            roles={key: role.definition.label for key, role in door.bundle.roles.items()},
            departments=departments,
            department_names={one.id: one.name for one in departments},
        )

    @router.post("/users")
    def create_user(request: Request, found: Visiting, sent: Posted) -> Response:
        password = sent.get("password")
        login, name = text_of(sent, "login"), text_of(sent, "name")
        missing = [
            problem("web.fill_in", field, name=say(site_of(request), found.language, f"settings.{field}"))
            for field, value in (("login", login), ("name", name), ("password", password))
            if not value
        ]
        if missing:
            raise Refused(missing)
        accounts.create_user(
            found.door,
            login,
            name,
            str(password),
            texts_of(sent, "role"),
            department=number_in(text_of(sent, "department")),
            language=text_of(sent, "language") or found.language,
        )
        return go_to(request, found.links.page("settings"), say(site_of(request), found.language, "settings.user_made"))

    @router.post("/users/{user}/roles")
    def set_roles(request: Request, found: Visiting, user: Natural, sent: Posted) -> Response:
        accounts.set_roles(found.door, user, texts_of(sent, "role"))
        return go_to(request, found.links.page("settings"), say(site_of(request), found.language, "settings.roles_set"))

    @router.post("/users/{user}/active")
    def set_active(request: Request, found: Visiting, user: Natural, sent: Posted) -> Response:
        active = text_of(sent, "active") == "true"
        if user == found.door.actor.user and not active:
            raise Refused([problem("web.not_oneself")])
        accounts.set_active(found.door, user, active)
        key = "settings.user_let_in" if active else "settings.user_kept_out"
        return go_to(request, found.links.page("settings"), say(site_of(request), found.language, key))

    @router.post("/departments")
    def create_department(request: Request, found: Visiting, sent: Posted) -> Response:
        name = text_of(sent, "name")
        if not name:
            label = say(site_of(request), found.language, "settings.department_name")
            raise Refused([problem("web.fill_in", "name", name=label)])
        organisation.create_department(found.door, name[:100], parent=number_in(text_of(sent, "parent")))
        said = say(site_of(request), found.language, "settings.department_made")
        return go_to(request, found.links.page("settings"), said)

    return router
