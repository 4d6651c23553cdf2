"""The composition root of a web process: settings → house, texts, templates, routes, jobs. Wired here and nowhere else.

`create_app` opens nothing slow: pages are served as soon as it returns and the job worker comes up in a thread behind
them. A process that is handed a house (a test, a story) leaves the jobs to whoever made it.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from starlette.convertors import register_url_convertor
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute

from runtime.api.hooks import hook_routes
from runtime.api.routes import api_routes
from runtime.house import House
from runtime.house_jobs import EngineHouse, engine_house
from runtime.logs import log_plainly
from runtime.messages.catalogue import Catalogue, load_catalogue
from runtime.plugin_loading import load_plugins
from runtime.settings import Settings
from runtime.web import responses
from runtime.web.body_limit import BodyLimit
from runtime.web.dependencies import IdConvertor
from runtime.web.pages import template_environment
from runtime.web.route_index import RouteIndex
from runtime.web.routes import all_routes
from runtime.web.security import SecureHeaders
from runtime.web.site import Site
from runtime.web.static_files import PREFIX, KeptFiles, sprite_icons, static_addresses

SECRET_BYTES = 48
SECRET_MODE = 0o600


def create_app(settings: Settings, house: House | None = None, catalogue: Catalogue | None = None) -> FastAPI:
    """The web application over ``settings``; over ``house`` where somebody made one already, with the texts of
    ``catalogue`` where somebody has read them."""
    log_plainly()
    wired = None if house is not None else _wired(settings, catalogue or load_catalogue())
    served = house if house is not None else wired.house if wired is not None else None
    assert served is not None
    app = FastAPI(
        title="Stockloom",
        version=version("stockloom"),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=_lifespan(settings, wired),
    )
    app.state.site = Site(
        house=served,
        settings=settings,
        catalogue=served.catalogue,
        templates=template_environment(),
        static=static_addresses(),
        icons=sprite_icons(),
        secret=secret_of(settings.secret_path),
        version=version("stockloom"),
    )
    register_url_convertor("int", IdConvertor())  # before any route is made
    app.add_middleware(BodyLimit, limit=settings.upload_limit_bytes)
    app.add_middleware(SecureHeaders)
    responses.install(app)
    app.add_api_route("/healthz", _healthz, include_in_schema=False)
    app.mount(PREFIX, KeptFiles(), name="static")
    app.router.routes.extend([*hook_routes().routes, *_routes()])
    return app


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """The routes of pages and of the API, in one row behind their index: a router included in another makes each of
    its routes anew, and looks through them twice per request. They know no house, and making them takes longer than
    everything else about a web application: those of one process share them."""
    routes = tuple(route for router in (api_routes(), *all_routes()) for route in router.routes)
    return (RouteIndex(routes), *routes)


def _wired(settings: Settings, catalogue: Catalogue) -> EngineHouse:
    installed = load_plugins()
    return engine_house(settings, installed.kinds, catalogue, plugins=installed.plugins)


def secret_of(path: Path) -> bytes:
    """The signing key of the installation, made on first use and readable by its owner only."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{secrets.token_hex(4)}")
        fresh.touch(mode=SECRET_MODE)
        fresh.write_text(secrets.token_urlsafe(SECRET_BYTES), "utf-8")
        try:
            path.hardlink_to(fresh)  # only the first of several processes wins; all of them read what it wrote
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_bytes()


def _healthz() -> PlainTextResponse:
    """Ready to serve pages; says nothing about jobs, which come up later."""
    return PlainTextResponse("ok")


def _lifespan(settings: Settings, wired: EngineHouse | None) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Start the worker once pages are served, and close everything at the end."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        works_here = wired is not None and settings.embedded_worker and not settings.uses_postgres
        worker = wired.engine.start_later(wired.handlers) if wired is not None and works_here else None
        try:
            yield
        finally:
            if worker is not None:
                worker.close()
            if wired is not None:
                wired.close()

    return lifespan
