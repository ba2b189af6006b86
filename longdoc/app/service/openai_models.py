"""Routes of models, in the shape of OpenAI's: the engine's model, alone and with each collection of the tenant.

`longdoc/MODEL` reads what comes with the messages, `longdoc/MODEL@COLLECTION` what is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Literal
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from longdoc.app.bootstrap import Records
from longdoc.app.service.bodies import InPath
from longdoc.app.service.callers import Reading
from longdoc.app.service.openai_errors import OPENAI_ERRORS
from longdoc.app.service.problems import refused
from longdoc.app.service.replies import reply
from longdoc.errors import NotFoundError, ServiceError
from longdoc.storage.profile_types import LOCAL_TENANT, Tenant

router = APIRouter(prefix="/v1/models", tags=["openai"], responses=OPENAI_ERRORS)

_PREFIX: Final = "longdoc/"
OF_TENANT: Final = "tenant:"
"""How the record names a collection of another tenant than `local`."""


@dataclass(frozen=True, slots=True)
class ModelView:
    """A model."""

    id: str
    created: int
    owned_by: str
    object: Literal["model"] = "model"


@dataclass(frozen=True, slots=True)
class ModelsView:
    """All models."""

    data: list[ModelView]
    object: Literal["list"] = "list"


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model as a request names it: its id, and the collection that is asked, by the name that the record has."""

    id: str
    collection: str | None


def stored_name(tenant: Tenant, collection: str) -> str:
    """What the record calls a collection of a tenant: the tenant `local` has those of the command line, another those
    whose names begin with `tenant:NAME:`. Raises `NotFoundError` for one that is another tenant's."""
    if tenant.name != LOCAL_TENANT:
        return f"{_own(tenant)}{collection}"
    if collection.startswith(OF_TENANT):
        raise _no_collection(collection)
    return collection


async def find_collection(records: Records, tenant: Tenant, collection: str) -> str:
    """The name that the record has for a collection of a tenant. Raises `NotFoundError`."""
    name = stored_name(tenant, collection)
    if name not in await records.collections.made():
        raise _no_collection(collection)
    return name


async def find_model(records: Records, tenant: Tenant, engine_model: str, asked: str) -> NamedModel:
    """The model that a request names; `longdoc` alone is the engine's. Raises `ServiceError`, `NotFoundError`."""
    whole = _PREFIX + engine_model
    for start in (whole, _PREFIX.removesuffix("/")):
        if asked == start:
            return NamedModel(whole, None)
        if asked.startswith(f"{start}@"):
            collection = asked.removeprefix(f"{start}@")
            return NamedModel(f"{whole}@{collection}", await find_collection(records, tenant, collection))
    raise _no_model(asked, whole)


@router.get("", response_model=ModelsView)
async def list_models(asked: Reading) -> Response:
    """The engine's model, alone and with each collection."""
    workspace = await asked.parts.workspace.opened()
    whole = _PREFIX + workspace.engine.info.model
    made = await workspace.records.collections.made()
    shown = {outer: moment for name, moment in made.items() if (outer := outer_name(asked.tenant, name)) is not None}
    views = [ModelView(whole, int(asked.tenant.created_at.timestamp()), "longdoc")]
    views += [ModelView(f"{whole}@{name}", int(moment.timestamp()), "longdoc") for name, moment in shown.items()]
    return reply(ModelsView(views))


@router.get("/{id:path}", response_model=ModelView)
async def get_model(asked: Reading, id: InPath) -> Response:  # noqa: A002 - the name of the part of the path
    """A model."""
    workspace = await asked.parts.workspace.opened()
    found = await find_model(workspace.records, asked.tenant, workspace.engine.info.model, id)
    made = asked.tenant.created_at
    if found.collection is not None:
        made = (await workspace.records.collections.made()).get(found.collection, made)
    return reply(ModelView(found.id, int(made.timestamp()), "longdoc"))


def outer_name(tenant: Tenant, name: str) -> str | None:
    """A collection's name as its tenant knows it; None for one that is another tenant's."""
    if tenant.name == LOCAL_TENANT:
        return None if name.startswith(OF_TENANT) else name
    return name.removeprefix(_own(tenant)) if name.startswith(_own(tenant)) else None


def _own(tenant: Tenant) -> str:
    return f"{OF_TENANT}{quote(tenant.name, safe='')}:"


def _no_collection(name: str) -> NotFoundError:
    return NotFoundError(f"there is no collection {name!r}")


def _no_model(asked: str, whole: str) -> ServiceError:
    return refused(HTTPStatus.NOT_FOUND, "model-not-found", f"there is no model {asked[:200]!r}; ask {whole!r}")
