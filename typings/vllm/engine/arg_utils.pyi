from typing import ClassVar

from vllm.config import VllmConfig

class AsyncEngineArgs:
    __dataclass_fields__: ClassVar[dict[str, object]]
    def __init__(self, **arguments: object) -> None: ...
    def create_engine_config(self) -> VllmConfig: ...
