"""The service's log: a JSON object a line, with ids, routes, status and times, never a text of anybody's."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Mapping
from typing import Final

LOGGER: Final = "longdoc.service"
_FIELDS = "fields"


class JsonLines(logging.Formatter):
    """A record as a line of JSON; of an exception only its type is told, for its words may be a user's."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        fields: Mapping[str, object] = getattr(record, _FIELDS, {})
        line = {"at": f"{moment}.{int(record.msecs):03d}Z", "level": record.levelname.lower(), "event": record.msg}
        if record.name != LOGGER:
            line = {**line, "event": "server", "message": record.getMessage().splitlines()[0][:200]}
        if record.exc_info and record.exc_info[0] is not None:
            fields = {**fields, "error": record.exc_info[0].__name__}
        return json.dumps({**line, **fields})


def log(event: str, *, level: int = logging.INFO, **fields: object) -> None:
    """Tell that something happened."""
    logging.getLogger(LOGGER).log(level, event, extra={_FIELDS: fields})


def log_to_stderr() -> None:
    """Write the log, and what the server warns of, on standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name, level in ((LOGGER, logging.INFO), ("uvicorn.error", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(level)
        logger.propagate = False


def place_of(error: BaseException) -> str:
    """Where an error was raised: a file of code and a line."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
