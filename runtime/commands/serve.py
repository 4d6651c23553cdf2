"""``stockloom serve``: the web pages and the API of this installation, until stopped."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress
from dataclasses import replace
from typing import Annotated

import typer
import uvicorn

from runtime.app import create_app
from runtime.invocation import invocation

KEEP_ALIVE_S = 30
GRACE_S = 10
M_ARENA_MAX, ARENAS = -8, 2  # of mallopt(3) of the GNU C library


def run(
    context: typer.Context,
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on. 监听的地址。")] = None,
    port: Annotated[int | None, typer.Option("--port", min=0, max=65535, help="Port. 端口。")] = None,
) -> None:
    """Serve the web pages until stopped. 启动网页服务。"""
    started = invocation(context)
    settings = replace(
        started.settings,
        host=started.settings.host if host is None else host,
        port=started.settings.port if port is None else port,
    )
    share_memory()
    app = create_app(settings, catalogue=started.catalogue)
    gc.freeze()  # routes and texts stay: there is no garbage to look for in them
    address = settings.public_url or f"http://{settings.host}:{settings.port}/"
    started.say("serve.started", address=address)
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        ws="none",
        server_header=False,
        date_header=True,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
        proxy_headers=True,
    )


def share_memory() -> bool:
    """Let all threads take memory from the same few arenas; whether this system has such a setting.

    Otherwise every thread keeps an arena of its own with what its largest page once took, a tenth of the whole. Threads
    of Python hardly ever take memory at the same moment.
    """
    with suppress(OSError, AttributeError, TypeError):  # another C library, another system
        return bool(ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS))
    return False
