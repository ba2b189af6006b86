"""`lda doctor`: what is there, what is not, and what to do."""

from __future__ import annotations

import asyncio

import typer

from longdoc.cli import options
from longdoc.cli.exits import ExitCode
from longdoc.json_value import JsonValue


def doctor(
    json: options.Json = False,
    engine: options.Engine = None,
    model: options.Model = None,
    base_url: options.BaseUrl = None,
    database: options.Database = None,
) -> None:
    """Look at record, disk, models and engine, and say what to do where something is wrong.

    Example: lda doctor --base-url http://localhost:8000/v1
    """
    from longdoc.app.doctor import Check, Verdict, examine
    from longdoc.cli.output import envelope
    from longdoc.cli.render import download_view, notifier, show_check
    from longdoc.config import load_settings

    settings = load_settings({"engine": engine, "model": model, "base_url": base_url, "database": database})

    async def look() -> list[Check]:
        checks: list[Check] = []
        with download_view(quiet=json) as downloads:
            async for check in examine(settings, notify=notifier(quiet=json), progress=downloads.show):
                checks.append(check)
                if not json:
                    show_check(check)
        return checks

    checks = asyncio.run(look())
    failed = any(check.verdict is Verdict.FAILED for check in checks)
    if json:
        rows: list[JsonValue] = [
            {"name": c.name, "verdict": c.verdict, "detail": c.detail, "advice": c.advice} for c in checks
        ]
        typer.echo(envelope("doctor", "failed" if failed else "done", checks=rows))
    raise typer.Exit(ExitCode.FAILED if failed else ExitCode.DONE)
