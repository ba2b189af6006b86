"""The parts of vLLM that are used, as of 0.32."""

class ModelConfig:
    max_model_len: int
    dtype: object
    quantization: str | None
    hf_config: object
    def get_vocab_size(self) -> int: ...

class SchedulerConfig:
    max_num_seqs: int

class ParallelConfig:
    data_parallel_size: int
    tensor_parallel_size: int
    pipeline_parallel_size: int

class CacheConfig:
    gpu_memory_utilization: float

class DeviceConfig:
    device_type: str

class VllmConfig:
    model_config: ModelConfig
    scheduler_config: SchedulerConfig
    parallel_config: ParallelConfig
    cache_config: CacheConfig
    device_config: DeviceConfig
