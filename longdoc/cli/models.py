"""`lda models`: the catalogue of models that longdoc can fetch by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from longdoc.cli import options

if TYPE_CHECKING:
    from pathlib import Path

    from longdoc.engines.catalogue import ModelEntry
    from longdoc.json_value import JsonValue

app = typer.Typer(help="Models to run in this process: list, pull, find, remove.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the model, as 'lda models list' shows it.")]


@app.command("list")
def list_models(json: options.Json = False, models_dir: options.ModelsDir = None) -> None:
    """List the models of the catalogue and which of them are here."""
    from longdoc.cli.output import envelope
    from longdoc.cli.render import table
    from longdoc.config import load_settings
    from longdoc.engines.catalogue import CATALOGUE
    from longdoc.engines.pull import installed

    directory = load_settings({"models_dir": models_dir}).models_directory
    if json:
        typer.echo(envelope("models list", "done", models=[_entry_json(entry, directory) for entry in CATALOGUE]))
        return
    table(
        ("name", "for", "size", "licence", "here", "what it is"),
        [
            (
                entry.name,
                entry.purpose,
                f"{entry.size / 1e6:,.0f} MB",
                entry.licence,
                "yes" if installed(entry, directory) else "no",
                entry.description,
            )
            for entry in CATALOGUE
        ],
    )


@app.command("pull")
def pull_model(name: Name, models_dir: options.ModelsDir = None) -> None:
    """Fetch a model; an interrupted download goes on where it was.

    Example: lda models pull smollm2-135m
    """
    import asyncio

    from longdoc.app.engine_choice import pulled_model
    from longdoc.cli.render import download_view, notifier
    from longdoc.config import load_settings

    settings = load_settings({"models_dir": models_dir})
    entry = _entry(name)
    with download_view(quiet=False) as downloads:
        notify = notifier(quiet=False)
        path = asyncio.run(pulled_model(settings, entry, notify=notify, progress=downloads.show))
    typer.echo(path)


@app.command("path")
def model_path(name: Name, models_dir: options.ModelsDir = None) -> None:
    """Print where a pulled model lies."""
    from longdoc.config import load_settings
    from longdoc.engines.pull import installed
    from longdoc.errors import ModelNotFoundError

    path = installed(_entry(name), load_settings({"models_dir": models_dir}).models_directory)
    if path is None:
        raise ModelNotFoundError(f"{name} is not here; fetch it with: lda models pull {name}")
    typer.echo(path)


@app.command("rm")
def remove_model(name: Name, models_dir: options.ModelsDir = None) -> None:
    """Remove a pulled model."""
    from longdoc.config import load_settings
    from longdoc.engines.pull import remove
    from longdoc.errors import ModelNotFoundError

    if not remove(_entry(name), load_settings({"models_dir": models_dir}).models_directory):
        raise ModelNotFoundError(f"{name} is not here; nothing to remove")


def _entry(name: str) -> ModelEntry:
    from longdoc.engines.catalogue import CATALOGUE, find_entry
    from longdoc.errors import ModelNotFoundError

    entry = find_entry(name)
    if entry is None:
        names = ", ".join(entry.name for entry in CATALOGUE)
        raise ModelNotFoundError(f"the catalogue has no model {name!r}; it has: {names}")
    return entry


def _entry_json(entry: ModelEntry, directory: Path) -> JsonValue:
    from longdoc.engines.pull import installed

    path = installed(entry, directory)
    return {
        "name": entry.name,
        "purpose": entry.purpose,
        "description": entry.description,
        "size": entry.size,
        "licence": entry.licence,
        "sha256": entry.sha256,
        "toy": entry.toy,
        "path": None if path is None else str(path),
    }
