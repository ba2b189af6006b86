"""Records many calls at once and prints the keys of those acknowledged: run as a process that tests kill."""

import asyncio
import sys
from contextlib import aclosing

from longdoc.engines.engine import Completion, CompletionRequest, EngineInfo, FinishReason, Message, Usage
from longdoc.storage.database import Database
from longdoc.storage.ledger import Ledger

_REQUEST = CompletionRequest((Message("user", "Go on."),), 10)
_ANSWER = Completion("I do.", FinishReason.STOP, Usage(3, 3), "m")
_INFO = EngineInfo("scripted", "m", "m@1", 8192)


async def _main(location: str, name: str, count: int) -> None:
    numbers = iter(range(count))
    async with aclosing(await Database.open(location)) as database:
        ledger = Ledger(database)

        async def worker() -> None:
            for number in numbers:
                await ledger.record(f"{name}{number}", _REQUEST, _ANSWER, _INFO)
                print(f"{name}{number}", flush=True)

        await asyncio.gather(*[worker() for _ in range(8)])


asyncio.run(_main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
