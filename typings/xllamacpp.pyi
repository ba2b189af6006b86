class CpuParams:
    n_threads: int

class CommonParamsModel:
    path: str

class CommonParams:
    model: CommonParamsModel
    model_alias: set[str]
    hostnames: list[str]
    port: int
    api_keys: list[str]
    n_ctx: int
    n_parallel: int
    n_batch: int
    n_ubatch: int
    n_gpu_layers: int
    kv_unified: bool
    cont_batching: bool
    cache_prompt: bool
    cache_ram_mib: int
    ctx_shift: bool
    fit_params: bool
    warmup: bool
    verbosity: int
    ui: bool
    endpoint_slots: bool
    cpuparams: CpuParams
    cpuparams_batch: CpuParams
    def __init__(self) -> None: ...

class Server:
    def __init__(self, common_params: CommonParams) -> None: ...
    @property
    def listening_address(self) -> str: ...
