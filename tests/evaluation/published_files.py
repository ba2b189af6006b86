"""A published table of one's own, with files in the shape of the real ones."""

import json
from pathlib import Path

COLUMNS = (
    "model",
    "chunk",
    "hier",
    "inc",
    "hier_annotations",
    "hier_summaries",
    "inc_annotations",
    "inc_summaries",
    "books",
)
WHO = {"questions": "Who?", "types": ["entity omission"]}


def write_published(folder: Path, *, hier: float, books: int = 2) -> Path:
    """Three summaries, one of them an example of the judge's prompt; the other two score 50 and 100, on average 75."""
    folder.mkdir(exist_ok=True)
    summaries = {
        "a.epub": "Ada came. She left.",
        "b.epub": "Bela came. He stayed. He slept. He woke.",
        "the-ferryman.epub": "He rowed.",
    }
    annotations = {"a.epub": {"She left.": WHO}, "the-ferryman.epub": {"He rowed.": WHO}}
    (folder / "s.json").write_text(json.dumps(summaries), encoding="utf-8")
    (folder / "a.json").write_text(json.dumps(annotations), encoding="utf-8")
    row = ("Model", "2048", str(hier), "", "a.json", "s.json", "", "", str(books))
    (folder / "golden.tsv").write_text("\t".join(COLUMNS) + "\n" + "\t".join(row) + "\n", encoding="utf-8")
    return folder
