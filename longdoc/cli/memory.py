"""`lda memory`: what is remembered, session by session: looked at, found, changed, carried away and taken out."""

from __future__ import annotations

import typer

from longdoc.cli import memory_changes, memory_views

app = typer.Typer(help="Memories: list, look, search, edit, forget, export, import.", no_args_is_help=True)
app.command("list")(memory_views.list_namespaces)
app.command("show")(memory_views.show_memories)
app.command("search")(memory_views.search_memories)
app.command("edit")(memory_changes.edit_memory)
app.command("history")(memory_views.show_history)
app.command("forget")(memory_changes.forget_memories)
app.command("export")(memory_views.export_memories)
app.command("import")(memory_changes.import_memories)
app.command("delete")(memory_changes.delete_session)
