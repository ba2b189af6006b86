"""Routes of files, in the shape of OpenAI's: documents that are uploaded once and named in messages."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, Self

from fastapi import APIRouter, Form, Query, UploadFile
from starlette.responses import Response

from longdoc.app.service.bodies import InPath
from longdoc.app.service.callers import Asked, Reading, Writing
from longdoc.app.service.openai_errors import OPENAI_ERRORS
from longdoc.app.service.replies import reply
from longdoc.documents.document import Document
from longdoc.documents.readers import read_bytes
from longdoc.errors import ConfigError
from longdoc.storage.profile_rows import LONGEST_NAME
from longdoc.storage.service_files import NewFile, ServiceFile

router = APIRouter(prefix="/v1/files", tags=["openai"], responses=OPENAI_ERRORS)

_BYTES = "application/octet-stream"
_CONTENT: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {_BYTES: {"schema": {"type": "string", "format": "binary"}}}, "description": "The bytes."}
}
_MOST_LISTED = 10_000
MOST_OF_TENANT: Final = 10 * 1024**3
"""Bytes that the files of a tenant have in all."""


@dataclass(frozen=True, slots=True)
class FileView:
    """A file; `longdoc_document` is the id of the document that was read from it."""

    id: str
    bytes: int
    created_at: int
    filename: str
    purpose: str
    longdoc_document: str
    object: Literal["file"] = "file"
    status: Literal["processed"] = "processed"

    @classmethod
    def of(cls, one: ServiceFile) -> Self:
        """The view of a file."""
        moment = int(one.created_at.timestamp())
        return cls(one.id, one.size, moment, one.name, one.purpose, one.document_id)


@dataclass(frozen=True, slots=True)
class FilesView:
    """Some files; `has_more`: there are others after `last_id`."""

    data: list[FileView]
    first_id: str | None
    last_id: str | None
    has_more: bool
    object: Literal["list"] = "list"


@dataclass(frozen=True, slots=True)
class DeletedView:
    """That a file is deleted."""

    id: str
    deleted: bool
    object: Literal["file"] = "file"


async def read_file(name: str, data: bytes) -> Document:
    """The document that the bytes of a file are. Raises `DocumentError`."""
    return await asyncio.to_thread(read_bytes, data, name=name)


@router.post("", response_model=FileView)
async def upload(asked: Writing, file: UploadFile, purpose: Annotated[str, Form()] = "user_data") -> Response:
    """Store a document; EPUB, PDF, DOCX, ODT, HTML, Markdown or text. It is read at once: what cannot be is refused."""
    name, records = file.filename or "file", asked.parts.library.records
    if len(name) > LONGEST_NAME or len(purpose) > LONGEST_NAME:
        raise ConfigError(f"the name of a file, and its purpose, have at most {LONGEST_NAME} characters")
    await records.files.check_room(asked.tenant.id, file.size or 0, most_bytes=MOST_OF_TENANT)
    async with asked.parts.reading:
        data = await file.read()
        document = await read_file(name, data)
        await records.documents.save(document)
        new = NewFile(name, purpose, document.id, data, document.metadata)
        added = await records.files.add(asked.tenant.id, new, most_bytes=MOST_OF_TENANT)
    return reply(FileView.of(added))


@router.get("", response_model=FilesView)
async def list_files(
    asked: Reading,
    *,
    limit: Annotated[int, Query(ge=1, le=_MOST_LISTED)] = _MOST_LISTED,
    after: str | None = None,
    order: Literal["asc", "desc"] = "desc",
    purpose: str | None = None,
) -> Response:
    """The files of the tenant."""
    files = asked.parts.library.records.files
    found = await files.list(asked.tenant.id, limit + 1, after=after, oldest_first=order == "asc", purpose=purpose)
    views = [FileView.of(one) for one in found[:limit]]
    first, last = (views[0].id, views[-1].id) if views else (None, None)
    return reply(FilesView(views, first, last, len(found) > limit))


@router.get("/{id}", response_model=FileView)
async def get_file(asked: Reading, id: InPath) -> Response:  # noqa: A002 - the name of the part of the path
    """What is known of a file."""
    return reply(FileView.of(await _files(asked, id)))


@router.get("/{id}/content", responses=_CONTENT, response_class=Response)
async def get_content(asked: Reading, id: InPath) -> Response:  # noqa: A002 - as above
    """The bytes of a file, as they came."""
    found = await asked.parts.library.records.files.content(asked.tenant.id, id)
    return Response(found, media_type=_BYTES)


@router.delete("/{id}", response_model=DeletedView)
async def delete_file(asked: Writing, id: InPath) -> Response:  # noqa: A002 - as above
    """Delete a file, and what was read from it; what runs read stays in the record with them."""
    await asked.parts.library.records.files.delete(asked.tenant.id, id)
    return reply(DeletedView(id, deleted=True))


async def _files(asked: Asked, id_: str) -> ServiceFile:
    return await asked.parts.library.records.files.get(asked.tenant.id, id_)
