"""The whole exception tree.

Every error longdoc raises on purpose is an `LdaError`. Data travels as attributes, never only inside the
message, and foreign exceptions are chained (`raise … from error`). Only the edges (command line, HTTP) catch
broadly.
"""

from __future__ import annotations


class LdaError(Exception):
    """Base of every error longdoc raises on purpose; its text is one line that says what to do.

    `resumable` tells whether the same request can go on from here with nothing changed but time or budget.
    """

    @property
    def resumable(self) -> bool:
        """See the class."""
        return False


class ConfigError(LdaError):
    """A setting, option or combination of them cannot work."""


class ChangedMeanwhileError(ConfigError):
    """Somebody else has changed what was to be changed since it was read."""


class DocumentError(LdaError):
    """A document cannot be read. `source` names it."""

    def __init__(self, message: str, *, source: str = "") -> None:
        super().__init__(f"{source}: {message}" if source else message)
        self.source = source
        self.reason = message


class UnsupportedDocumentError(DocumentError):
    """The bytes are of no kind that any reader knows."""


class EncryptedDocumentError(DocumentError):
    """The document is protected by a password or by DRM."""


class EmptyDocumentError(DocumentError):
    """The document holds no text (image-only pages included)."""


class MalformedDocumentError(DocumentError):
    """The document claims a format but breaks it beyond reading (truncated files included)."""


class DocumentTooLargeError(DocumentError):
    """The document passes a safety limit (size, compression ratio, entity expansion, members)."""


class PromptError(LdaError):
    """A prompt template is missing or was rendered with the wrong variables."""


class EngineError(LdaError):
    """A model call failed. `retryable` tells whether the same call may succeed later."""

    retryable: bool = False

    @property
    def resumable(self) -> bool:
        """What may succeed later can be gone on with."""
        return self.retryable


class EngineUnavailableError(EngineError):
    """The engine cannot be reached, answered 5xx, closed the connection or sent something unreadable."""

    retryable = True


class EngineTimeoutError(EngineError):
    """The engine did not answer in time."""

    retryable = True


class RateLimitedError(EngineError):
    """The engine asks for fewer requests. `retry_after` is in seconds, or None where it did not say."""

    retryable = True

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class EngineLostError(EngineError):
    """The engine is gone and will not come back by itself: nothing more can be asked of it in this process."""

    @property
    def resumable(self) -> bool:
        """The same request goes on from here once the engine runs again."""
        return True


class EngineAuthError(EngineError):
    """The engine refuses our credentials."""


class ModelNotFoundError(EngineError):
    """The engine or the catalogue does not have this model."""


class ContextTooLongError(EngineError):
    """The prompt and its answer do not fit the window. Sizes are in tokens, None where unknown."""

    def __init__(self, message: str, *, prompt_tokens: int | None = None, context_window: int | None = None) -> None:
        super().__init__(message)
        self.prompt_tokens = prompt_tokens
        self.context_window = context_window


class RequestRefusedError(EngineError):
    """The engine rejects this request (bad parameters, content policy)."""


class InvalidOutputError(EngineError):
    """The model's answer breaks its contract (schema, validity checks) after every attempt."""


class OutputCutError(InvalidOutputError):
    """The model's answer ran into its token limit before it was whole. `text` is what there is of it."""

    def __init__(self, message: str, *, text: str) -> None:
        super().__init__(message)
        self.text = text


class StorageError(LdaError):
    """The database cannot be opened, migrated, read or written."""


class NotFoundError(StorageError):
    """Nothing, or more than one thing, is stored under the name that was given."""


class IndexUnusableError(StorageError):
    """A derived index is missing, damaged or made for something else: build it again from the record.

    `path` is where it lies, `reason` what is wrong with it.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"the index {path} {reason}; it has to be built again")
        self.path = path
        self.reason = reason


class ServiceError(LdaError):
    """The service refuses a request, or cannot do it now.

    `status` is HTTP's; `kind` names the problem, as the last part of its type does; `retry_after` is in seconds, None
    where waiting does not help or nobody knows.
    """

    def __init__(self, message: str, *, status: int, kind: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.retry_after = retry_after

    @property
    def resumable(self) -> bool:
        """What may be sent again later is."""
        return self.retry_after is not None


class BudgetExceededError(LdaError):
    """The next call would pass a limit the user set; nothing was spent on it.

    `resource` is one of "calls", "tokens" or "cost"; `limit` and `needed` are in its unit.
    """

    def __init__(self, resource: str, *, limit: float, needed: float) -> None:
        super().__init__(
            f"the {resource} budget of {limit:g} would be passed ({needed:g} needed); "
            "run the same command with a larger budget to go on"
        )
        self.resource = resource
        self.limit = limit
        self.needed = needed

    @property
    def resumable(self) -> bool:
        """A larger budget goes on from here."""
        return True
