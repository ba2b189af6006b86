"""`lda mcp`: documents and memories as tools of the Model Context Protocol."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from longdoc.cli import options

HELP: Final = """Serve documents and memories to agents as tools (Model Context Protocol).

Over standard input and output for the program that starts it, which is how desktop clients are set up; with --http at
http://127.0.0.1:8766/mcp. To be reached by others, make a key first; it sees what the tenant local has.

Examples:

    lda mcp

    lda mcp --http --port 9000
"""


def mcp(
    *,
    http: Annotated[bool, typer.Option("--http", help="Serve over streamable HTTP.")] = False,
    host: Annotated[str, typer.Option("--host", help="Address to listen at, with --http.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="Port, with --http; 0: any free.")] = 8766,
    require_keys: Annotated[bool, typer.Option("--require-keys", help="Ask for a key on this computer too.")] = False,
    engine: options.Engine = None,
    model: options.Model = None,
    base_url: options.BaseUrl = None,
    database: options.Database = None,
) -> None:
    """See `HELP`."""
    import signal
    from importlib.util import find_spec

    from longdoc.cli.exits import ExitCode
    from longdoc.config import load_settings
    from longdoc.errors import ConfigError

    missing = [name for name in ("mcp", "starlette", "uvicorn", "prometheus_client") if find_spec(name) is None]
    if missing:
        raise ConfigError("the MCP server needs more packages; install them with: pip install 'longdoc[serve]'")
    settings = load_settings({"engine": engine, "model": model, "base_url": base_url, "database": database})
    if http:
        from longdoc.app.mcp.http import serve_http

        serve_http(
            settings,
            host,
            port,
            require_keys=require_keys,
            ready=lambda address: typer.echo(f"serving MCP at {address}", err=True),
        )
        return
    from longdoc.app.mcp.stdio import serve_stdio

    if serve_stdio(settings) == signal.SIGINT:
        raise typer.Exit(ExitCode.INTERRUPTED)
