"""The tables, as the newest migration leaves them.

Owns names and types of columns; how a table got there is `migrations/`, what is done with it is the repositories'.
A capability that stores something new adds its tables here, a migration, and a repository of its own.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    text,
)

from longdoc.storage.columns import AnyText, BigId, UtcDateTime

HEAD: Final = "0012"
"""The newest migration: the schema described here."""

VERSION_TABLE: Final = "longdoc_version"
"""Where a database keeps its migration; not Alembic's own name, so that other programs may share the database."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

texts = Table(
    "texts",
    metadata,
    Column("sha256", AnyText, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
"""Texts by the SHA-256 of their UTF-8 bytes, which are the body: any text, stored once, never changed."""

documents = Table(
    "documents",
    metadata,
    Column("id", AnyText, primary_key=True),
    Column("text_sha256", AnyText, ForeignKey("texts.sha256"), nullable=False, index=True),
    Column("format", AnyText, nullable=False),
    Column("source", AnyText, nullable=False),
    Column("title", AnyText, nullable=False),
    Column("outline", JSON, nullable=False),
    Column("blocks", LargeBinary, nullable=False),
    Column("words", BigInteger, nullable=False),
    Column("characters", BigInteger, nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
)
"""`outline` holds metadata, sections, notes, warnings and the hrefs of blocks; `blocks` packed integers."""

segmentations = Table(
    "segmentations",
    metadata,
    Column("document_id", AnyText, ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    Column("key", AnyText, primary_key=True),
    Column("payload", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

calls = Table(
    "calls",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("key", AnyText, nullable=False),
    Column("engine", AnyText, nullable=False),
    Column("model", AnyText, nullable=False),
    Column("identity", AnyText, nullable=False),
    Column("prompt_name", AnyText),
    Column("prompt_version", Integer),
    Column("inputs", JSON, nullable=False),
    Column("sampling", JSON, nullable=False),
    Column("json_schema", JSON(none_as_null=True)),
    Column("answer", AnyText, nullable=False),
    Column("finish_reason", AnyText, nullable=False),
    Column("prompt_tokens", BigInteger, nullable=False),
    Column("completion_tokens", BigInteger, nullable=False),
    Column("cached_tokens", BigInteger, nullable=False),
    Column("cost", Float(53), nullable=False),
    Column("seconds", Float(53), nullable=False),
    Column("retries", Integer, nullable=False),
    Column("logprobs", JSON(none_as_null=True)),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "key", "id"),
    sqlite_autoincrement=True,
)
"""The ledger. Rows are only added; the newest of a key answers. Ids are never used twice: inputs point to them."""

call_texts = Table(
    "call_texts",
    metadata,
    Column("call_id", BigId, ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True),
    Column("sha256", AnyText, primary_key=True, index=True),
)
"""The long texts that the inputs of a call point to, to be found by text."""

runs = Table(
    "runs",
    metadata,
    Column("id", AnyText, primary_key=True),
    Column("kind", AnyText, nullable=False),
    Column("title", AnyText, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("status", AnyText, nullable=False),
    Column("model", AnyText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("fresh_since", UtcDateTime),
    Column("result_node", AnyText),
    Column("error", AnyText),
    Index(None, "started_at"),
)

run_documents = Table(
    "run_documents",
    metadata,
    Column("run_id", AnyText, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("document_id", AnyText, ForeignKey("documents.id"), nullable=False, index=True),
)

run_calls = Table(
    "run_calls",
    metadata,
    Column("run_id", AnyText, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("call_id", BigId, ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("recorded", Boolean, nullable=False),
)
"""The calls of a run: made for it, or (`recorded`) taken from the ledger."""

nodes = Table(
    "nodes",
    metadata,
    Column("id", AnyText, primary_key=True),
    Column("run_id", AnyText, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("level", Integer, nullable=False),
    Column("title", AnyText, nullable=False),
    Column("text", AnyText, nullable=False),
    Column("status", AnyText, nullable=False),
    Column("reason", AnyText, nullable=False),
    Column("document_id", AnyText, ForeignKey("documents.id"), index=True),
    Column("start", BigInteger),
    Column("end", BigInteger),
    Column("tokens", BigInteger, nullable=False),
    Column("word_limit", BigInteger),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "run_id", "number", unique=True),
)

node_children = Table(
    "node_children",
    metadata,
    Column("node_id", AnyText, ForeignKey("nodes.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("child_id", AnyText, ForeignKey("nodes.id", ondelete="CASCADE"), nullable=False, index=True),
)

node_calls = Table(
    "node_calls",
    metadata,
    Column("node_id", AnyText, ForeignKey("nodes.id", ondelete="CASCADE"), primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("call_id", BigId, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False, index=True),
)

node_supports = Table(
    "node_supports",
    metadata,
    Column("node_id", AnyText, ForeignKey("nodes.id", ondelete="CASCADE"), primary_key=True),
    Column("basis", AnyText, nullable=False),
    Column("aligner", AnyText, nullable=False),
    Column("sentences", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
"""What each sentence of a node rests on; `basis` is a hash of all that this was worked out from."""

method_scores = Table(
    "method_scores",
    metadata,
    Column("key", AnyText, primary_key=True),
    Column("model", AnyText, nullable=False, index=True),
    Column("method", AnyText, nullable=False),
    Column("document_id", AnyText, ForeignKey("documents.id"), nullable=False, index=True),
    Column("document_tokens", BigInteger, nullable=False),
    Column("words", BigInteger),
    Column("settings", JSON, nullable=False),
    Column("judge", AnyText),
    Column("protocol", AnyText),
    Column("prompt", AnyText),
    Column("toy", Boolean, nullable=False),
    Column("coherence", Float(53)),
    Column("support_rate", Float(53)),
    Column("length_error", Float(53)),
    Column("repetition", Float(53), nullable=False),
    Column("gaps", Integer, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("seconds", Float(53), nullable=False),
    Column("run_id", AnyText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
"""What comparisons found; `key` is a hash of all that was equal when a row was measured again. Runs may be gone."""

collections = Table(
    "collections",
    metadata,
    Column("name", AnyText, primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
)

collection_documents = Table(
    "collection_documents",
    metadata,
    Column("collection", AnyText, ForeignKey("collections.name", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("document_id", AnyText, ForeignKey("documents.id"), nullable=False, index=True),
    Column("removed", Integer),
    Column("added_at", UtcDateTime, nullable=False),
)
"""Every change of a collection has the next number: `number` is that of an addition, `removed` that of its end."""

embeddings = Table(
    "embeddings",
    metadata,
    Column("document_id", AnyText, ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    Column("embedder", AnyText, primary_key=True),
    Column("layout", AnyText, primary_key=True),
    Column("batch", Integer, primary_key=True, autoincrement=False),
    Column("count", Integer, nullable=False),
    Column("vectors", LargeBinary, nullable=False),
)
"""Vectors of the parts of a document, so many to a batch: 16-bit floats, little-endian, row after row."""

selections = Table(
    "selections",
    metadata,
    Column("run_id", AnyText, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("payload", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
"""What a run chose to answer from, with the scores of every stage."""

namespaces = Table(
    "namespaces",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("user", AnyText, nullable=False),
    Column("agent", AnyText, nullable=False),
    Column("session", AnyText, nullable=False),
    Column("memories", BigInteger, nullable=False),
    Column("changes", BigInteger, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "user", "agent", "session", unique=True),
    sqlite_autoincrement=True,
)
"""Whose memories: `memories` is the number of the newest one, `changes` that of the last change of any of them."""

_IS_OPEN = text("status = 'open'")

memories = Table(
    "memories",
    metadata,
    Column("namespace_id", BigId, ForeignKey("namespaces.id", ondelete="CASCADE"), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("change", BigInteger, nullable=False),
    Column("kind", AnyText, nullable=False),
    Column("status", AnyText, nullable=False),
    Column("key", AnyText),
    Column("observation", AnyText, nullable=False),
    Column("response", AnyText, nullable=False),
    Column("summary", AnyText),
    Column("tokens", BigInteger),
    Column("summary_tokens", BigInteger),
    Column("counter", AnyText),
    Column("source", JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Index(None, "namespace_id", "change", unique=True),
    Index(None, "namespace_id", "key", unique=True),
    Index(None, "namespace_id", "at"),
    Index(None, "expires_at"),
    Index(
        "ix_memories_open",
        "namespace_id",
        sqlite_where=_IS_OPEN,
        postgresql_where=_IS_OPEN,
    ),
)
"""What is remembered, as it is now; a row of an erased memory stays, without its texts."""

memory_revisions = Table(
    "memory_revisions",
    metadata,
    Column("namespace_id", BigId, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("observation", AnyText, nullable=False),
    Column("response", AnyText, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("replaced_at", UtcDateTime, nullable=False),
    ForeignKeyConstraint(["namespace_id", "number"], ["memories.namespace_id", "memories.number"], ondelete="CASCADE"),
)
"""What memories said before they were edited, oldest first."""

memory_vectors = Table(
    "memory_vectors",
    metadata,
    Column("namespace_id", BigId, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("embedder", AnyText, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("vectors", LargeBinary, nullable=False),
    ForeignKeyConstraint(["namespace_id", "number"], ["memories.namespace_id", "memories.number"], ondelete="CASCADE"),
)
"""Vectors of the pieces of a memory: 16-bit floats, little-endian, row after row."""

memory_decisions = Table(
    "memory_decisions",
    metadata,
    Column("namespace_id", BigId, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("payload", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    ForeignKeyConstraint(["namespace_id", "number"], ["memories.namespace_id", "memories.number"], ondelete="CASCADE"),
)
"""What a turn recalled, and why."""

namespace_runs = Table(
    "namespace_runs",
    metadata,
    Column("namespace_id", BigId, ForeignKey("namespaces.id", ondelete="CASCADE"), primary_key=True),
    Column("run_id", AnyText, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("numbers", JSON, nullable=False),
)
"""The runs that were made for a namespace, and go with it; `numbers` are the memories that a run quotes: it goes with
each of them."""

drafts = Table(
    "drafts",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("name", AnyText, nullable=False),
    Column("instruction", AnyText, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("changes", BigInteger, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "name", unique=True),
    sqlite_autoincrement=True,
)
"""Writing sessions. `revision` is the one now; `changes` grows with every change, so that no two processes make one
from the same state."""

draft_revisions = Table(
    "draft_revisions",
    metadata,
    Column("draft_id", BigId, ForeignKey("drafts.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("parent", Integer),
    Column("what", AnyText, nullable=False),
    Column("plan", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

draft_sections = Table(
    "draft_sections",
    metadata,
    Column("draft_id", BigId, ForeignKey("drafts.id", ondelete="CASCADE"), primary_key=True),
    Column("section", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("text", AnyText, nullable=False),
    Column("words", BigInteger, nullable=False),
    Column("asked", BigInteger, nullable=False),
    Column("line", JSON, nullable=False),
    Column("summary", AnyText, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("notes", JSON(none_as_null=True)),
    Column("edited", Boolean, nullable=False),
    Column("reason", AnyText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
"""Every version of every section; which one a revision holds is in its plan."""

tenants = Table(
    "tenants",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("name", AnyText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "name", unique=True),
    sqlite_autoincrement=True,
)
"""Those that profiles are kept apart for: customers of a service, or one for a single computer."""

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", AnyText, primary_key=True),
    Column("tenant_id", BigId, ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", AnyText, nullable=False),
    Column("sha256", AnyText, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("per_minute", Integer),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("lasts", BigInteger),
    Index(None, "sha256", unique=True),
)
"""Keys of the service; of a key itself only its checksum is kept. `lasts` is how many seconds it was made for; one that
is rotated ends before that."""

profiles = Table(
    "profiles",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("tenant_id", BigId, ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False),
    Column("user", AnyText, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("changes", BigInteger, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "tenant_id", "user", unique=True),
    sqlite_autoincrement=True,
)
"""Users of tenants; `changes` is the number of the last change of an item."""

profile_items = Table(
    "profile_items",
    metadata,
    Column("profile_id", BigId, ForeignKey("profiles.id", ondelete="CASCADE"), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("change", BigInteger, nullable=False),
    Column("task", AnyText, nullable=False),
    Column("key", AnyText, nullable=False),
    Column("text", AnyText, nullable=False),
    Column("output", AnyText),
    Column("source", AnyText, nullable=False),
    Column("at", UtcDateTime),
    Column("recorded_at", UtcDateTime, nullable=False),
    Index(None, "profile_id", "task", "key", unique=True),
    sqlite_with_rowid=False,
)
"""What is known of users: items of a task, with what came out of each; those of a user lie side by side. `change` is
the number of its last change."""

profile_summaries = Table(
    "profile_summaries",
    metadata,
    Column("profile_id", BigId, ForeignKey("profiles.id", ondelete="CASCADE"), primary_key=True),
    Column("task", AnyText, primary_key=True),
    Column("text", AnyText, nullable=False),
    Column("counted", JSON, nullable=False),
    Column("items", JSON, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("locked", Boolean, nullable=False),
    Column("edited", Boolean, nullable=False),
    Column("model", AnyText, nullable=False),
    Column("prompt", AnyText, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
)
"""What is said of a user for a task: `items` are the numbers of those that it was made from, `seen` how many there
were, `change` the last change that it knows."""

profile_vectors = Table(
    "profile_vectors",
    metadata,
    Column("profile_id", BigId, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("embedder", AnyText, primary_key=True),
    Column("change", BigInteger, nullable=False),
    Column("vector", LargeBinary, nullable=False),
    ForeignKeyConstraint(
        ["profile_id", "number"], ["profile_items.profile_id", "profile_items.number"], ondelete="CASCADE"
    ),
)
"""Vectors of items as they were at a change: 16-bit floats, little-endian."""

profile_runs = Table(
    "profile_runs",
    metadata,
    Column("profile_id", BigId, ForeignKey("profiles.id", ondelete="CASCADE"), primary_key=True),
    Column("run_id", AnyText, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True, index=True),
)
"""The runs that were made for a user, and go with it, or with any of its items: their calls may quote it."""

service_jobs = Table(
    "service_jobs",
    metadata,
    Column("id", AnyText, primary_key=True),
    Column("tenant_id", BigId, ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("profile_id", BigId, ForeignKey("profiles.id", ondelete="CASCADE"), index=True),
    Column("request", JSON, nullable=False),
    Column("status", AnyText, nullable=False, index=True),
    Column("owner", AnyText),
    Column("planned", BigInteger, nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("report", JSON(none_as_null=True)),
    Column("error", AnyText),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("lost", Integer, nullable=False, server_default="0"),
)
"""Work that the service does behind a request, without any text of a user's. `owner` is the process that is at it,
`seen_at` when that was last heard of, `lost` how often one was not heard of any more; one for a user goes with the
user."""

service_replies = Table(
    "service_replies",
    metadata,
    Column("tenant_id", BigId, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("key", AnyText, primary_key=True),
    Column("request", AnyText, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False, index=True),
)
"""What was replied to requests that may be sent again; of such a request only its checksum is kept."""

service_files = Table(
    "service_files",
    metadata,
    Column("id", AnyText, primary_key=True),
    Column("tenant_id", BigId, ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("name", AnyText, nullable=False),
    Column("purpose", AnyText, nullable=False),
    Column("document_id", AnyText, ForeignKey("documents.id"), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("metadata", JSON(none_as_null=True)),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "tenant_id", "number", unique=True),
)
"""Files that clients of the service uploaded, counted for each tenant, with the document that was read from them.
`metadata` is what a file says of itself; the document's own is that of whoever stored it first."""
