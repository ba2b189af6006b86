"""Who may use which tool: over stdio whoever started the server, over HTTP whom its key allows."""

from __future__ import annotations

from typing import Any

from mcp.server.mcpserver import Context
from starlette.requests import Request

from longdoc.app.service.access import Caller
from longdoc.app.service.admission import CALLER
from longdoc.storage.api_keys import Scope


def check_scope(context: Context[Any, Any], scope: Scope) -> None:
    """Raise `ServiceError` where the key that a call came with may not be used for something."""
    request = context.request_context.request
    if isinstance(request, Request):
        caller: Caller = request.scope["state"][CALLER]
        caller.check(scope)
