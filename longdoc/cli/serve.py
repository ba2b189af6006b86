"""`lda serve`: personalization and memory over HTTP."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from longdoc.cli import options

HELP: Final = """Serve personalization and memory over HTTP.

On this computer alone (127.0.0.1) no key is needed as long as there is none; to be reached by others, make one first.
The API is described at /docs. Summaries that are being made when the service ends are gone on with at its next start.

Examples:

    lda serve

    lda keys create shop && lda serve --host 0.0.0.0
"""


def serve(
    *,
    host: Annotated[str, typer.Option("--host", help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="Port; 0 is any that is free.")] = 8765,
    require_keys: Annotated[bool, typer.Option("--require-keys", help="Ask for a key on this computer too.")] = False,
    engine: options.Engine = None,
    model: options.Model = None,
    base_url: options.BaseUrl = None,
    database: options.Database = None,
) -> None:
    """See `HELP`."""
    from importlib.util import find_spec

    from longdoc.config import load_settings
    from longdoc.errors import ConfigError

    missing = [name for name in ("fastapi", "uvicorn", "prometheus_client") if find_spec(name) is None]
    if missing:
        raise ConfigError("the service needs more packages; install them with: pip install 'longdoc[serve]'")
    from longdoc.app.service.server import serve as serve_app

    settings = load_settings({"engine": engine, "model": model, "base_url": base_url, "database": database})
    serve_app(
        settings,
        host,
        port,
        require_keys=require_keys,
        ready=lambda address: typer.echo(f"serving at {address} (described at {address}/docs)", err=True),
    )
