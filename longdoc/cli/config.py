"""`lda config`: what is set, and where."""

from __future__ import annotations

import typer

from longdoc.cli import options
from longdoc.json_value import JsonValue

app = typer.Typer(help="Settings: what is in force and where it was set.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    pass


@app.command("show")
def show(json: options.Json = False) -> None:
    """Show every setting with its value and origin.

    Set one for a folder in lda.toml (`timeout = 120`), for a shell with LDA_TIMEOUT=120, for one command by option.
    """
    from longdoc.cli.output import envelope
    from longdoc.cli.render import table
    from longdoc.config import describe_settings, load_settings, user_config_file, without_credentials

    settings = describe_settings()
    places = {
        "database": without_credentials(load_settings().database_location),
        "models": str(load_settings().models_directory),
        "user file": str(user_config_file()),
    }
    if json:
        shown: list[JsonValue] = [{"name": s.name, "value": s.value, "origin": s.origin} for s in settings]
        typer.echo(envelope("config show", "done", settings=shown, places=dict(places)))
        return
    table(
        ("setting", "value", "set by", "what it is"),
        [(s.name, s.value, s.origin, s.description) for s in settings]
        + [(name, path, "in force", "place") for name, path in places.items()],
    )
