"""How the process logs: one JSON object a line on standard error, tracebacks as plain text without local variables.

Local variables would put documents, tokens and whole definitions into the log, and rendering them can take minutes; so
the renderer is chosen here, once, before anything is served.
"""

from __future__ import annotations

import sys

import structlog


def log_plainly() -> None:
    """Set the process up. Called by whoever starts one; calling it again changes nothing."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
