"""Readers of LlamaIndex (and of its hub) as sources of documents, for what our own readers do not know.

What they give is text with metadata; pages and titles become ours, and paragraphs are told by blank lines.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from longdoc.documents.builder import DocumentBuilder
from longdoc.documents.document import Document, Metadata
from longdoc.errors import ConfigError, DocumentError, EmptyDocumentError

_PARAGRAPHS: Final = re.compile(r"\n[ \t]*\n\s*")
_HEADINGS: Final = ("header", "Header 1", "header_path", "section", "sheet_name")
_MANY: Final = ("urls", "texts", "paths", "files", "input_files", "file_paths", "pages", "queries")


def read_with(reader: object, source: str) -> Document:
    """The document that a reader makes of a source: a file, an address, whatever it takes.

    `reader` is one that is made, its class, or the name of its class as "module:Class", which has to need no arguments.
    Raises `ConfigError` for a name that is none, kinds of `DocumentError` for what it cannot read.

    ```python
    from llama_index.core.readers import SimpleDirectoryReader

    document = read_with(SimpleDirectoryReader(input_files=["notes.txt"]), "notes.txt")
    print(document.title, len(document.text))
    ```
    """
    made = _made(reader, source)
    try:
        return to_document(_loaded(made, source), name=source)
    except (ConfigError, DocumentError):
        raise
    except Exception as error:  # readers are anybody's, and raise anything
        told = " ".join(str(error).split())[:300] or type(error).__name__
        raise DocumentError(f"{type(made).__name__} cannot read it: {told}", source=source) from error


def to_document(read: Iterable[Any], *, name: str) -> Document:
    """Documents of LlamaIndex as one of ours, in their order. Raises `EmptyDocumentError`."""
    builder = DocumentBuilder("llama_index", name)
    metadata: Mapping[str, Any] = {}
    heading = ""
    for one in read:
        metadata = metadata or dict(one.metadata)
        page = _page(one.metadata)
        titled = next((str(one.metadata[key]) for key in _HEADINGS if one.metadata.get(key)), "")
        if titled and titled != heading:
            if heading:
                builder.close_section()
            builder.open_section(titled)
            heading = titled
        for paragraph in _PARAGRAPHS.split(one.text or ""):
            builder.add_block(paragraph, page=page)
    if heading:
        builder.close_section()
    if not builder.has_text:
        raise EmptyDocumentError("there is no text in it", source=name)
    title = str(metadata.get("title") or metadata.get("file_name") or Path(name).name)
    author = str(metadata.get("author") or "")
    builder.metadata = Metadata(title=title, creators=(author,) if author else ())
    return builder.build()


def _made(reader: object, source: str) -> Any:
    """The reader itself. Raises `ConfigError` where it cannot be had."""
    named = _class_named(reader) if isinstance(reader, str) else reader
    if not isinstance(named, type):
        if not hasattr(named, "load_data"):
            raise ConfigError(f"{type(named).__name__} is no reader: it has no load_data")
        return named
    takes = inspect.signature(named).parameters
    try:
        return named(input_files=[source]) if "input_files" in takes else named()
    except Exception as error:  # readers are anybody's, and raise anything
        raise ConfigError(f"{named.__name__} cannot be made without arguments; make it in Python: {error}") from error


def _class_named(name: str) -> type:
    """The class of a name like "llama_index.readers.file:PDFReader"; the colon may be a dot."""
    module, _, kind = name.rpartition(":" if ":" in name else ".")
    try:
        found: object = getattr(import_module(module), kind)
    except (ImportError, AttributeError, ValueError) as error:
        package = "-".join(module.split(".")[:3]).replace("_", "-")
        raise ConfigError(
            f"there is no reader {name!r}, named as module:Class ({error}); readers of LlamaHub are packages of their "
            f"own, this one perhaps {package}"
        ) from error
    if not isinstance(found, type) or not hasattr(found, "load_data"):
        raise ConfigError(f"{name} is no reader: it has no load_data")
    return found


def _loaded(reader: Any, source: str) -> Sequence[Any]:
    """What a reader gives for a source, which its first parameter tells how to say: in a list, as a path, as a text."""
    parameters = [
        one
        for one in inspect.signature(reader.load_data).parameters.values()
        if one.kind in {one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD}
    ]
    bound = getattr(reader, "input_files", None) or getattr(reader, "input_dir", None)
    if bound or not parameters:
        return reader.load_data()
    first = parameters[0]
    if first.name in _MANY or "List" in str(first.annotation) or "list[" in str(first.annotation):
        return reader.load_data([source])
    return reader.load_data(Path(source) if Path(source).exists() else source)


def _page(metadata: Mapping[str, Any]) -> int | None:
    """The page of a piece, where its reader tells a number."""
    told = metadata.get("page_label", metadata.get("page"))
    return int(told) if str(told or "").isdigit() else None
