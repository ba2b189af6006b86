"""`lda personalize`: answers made for users, from what they wrote, rated and named before."""

from __future__ import annotations

import typer

from longdoc.cli import personalize_answers, personalize_changes, personalize_import, personalize_views
from longdoc.cli.eval_lamp import LAMP_HELP, lamp

HELP = """
Answers in the manner of a user: items of theirs are taken in, summed up offline, and put before a request.

Examples:

  lda personalize import mails.jsonl --task title

  lda personalize refresh

  lda personalize ask ann "The text that needs a title." --task title

  lda personalize show ann
"""

app = typer.Typer(help=HELP, no_args_is_help=True)
app.command("import", help=personalize_import.HELP)(personalize_import.import_profiles)
app.command("refresh", help=personalize_answers.REFRESH_HELP)(personalize_answers.refresh_summaries)
app.command("ask", help=personalize_answers.ASK_HELP)(personalize_answers.ask_for_user)
app.command("show")(personalize_views.show)
app.command("summary")(personalize_changes.change_summary)
app.command("on")(personalize_changes.turn_on)
app.command("off")(personalize_changes.turn_off)
app.command("forget")(personalize_changes.forget)
app.command("export")(personalize_views.export)
app.command("eval", help=LAMP_HELP)(lamp)
