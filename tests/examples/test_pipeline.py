"""The example of a pipeline runs as its docstring says."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_a_folder_becomes_a_table_with_a_row_for_each_book(tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    shutil.copy(EXAMPLES / "novella.epub", shelf / "a.epub")
    (shelf / "b.epub").write_bytes(b"PK\x03\x04 no book")
    (shelf / "c.md").write_text("# A letter\n\nThe ferry leaves at nine.\n", encoding="utf-8")
    settings = {"LDA_ENGINE": "scripted", "LDA_DATABASE": str(tmp_path / "record.db"), "LDA_EMBEDDING_MODEL": "hashed"}
    ran = subprocess.run(
        [sys.executable, str(EXAMPLES / "pipeline.py"), "shelf", "--words", "60", "--out", "table.csv"],
        cwd=tmp_path,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 3, ran.stderr
    with (tmp_path / "table.csv").open(encoding="utf-8", newline="") as file:
        rows = {Path(row["source"]).name: row for row in csv.DictReader(file)}
    assert sorted(rows) == ["a.epub", "b.epub", "c.md"]
    assert rows["a.epub"]["text"]
    assert "b.epub" in rows["b.epub"]["error"]
    assert not rows["b.epub"]["text"]
