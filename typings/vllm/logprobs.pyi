from dataclasses import dataclass

@dataclass
class Logprob:
    logprob: float
    rank: int | None = None
    decoded_token: str | None = None

class FlatLogprobs:
    token_ids: list[int]
    logprobs: list[float]
