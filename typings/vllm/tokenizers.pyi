from collections.abc import Sequence

from vllm.config import ModelConfig

class TokenizerLike:
    def encode(self, text: str, *, add_special_tokens: bool = True) -> list[int]: ...
    def decode(self, ids: Sequence[int]) -> str: ...
    def apply_chat_template(
        self,
        messages: Sequence[dict[str, str]],
        *,
        add_generation_prompt: bool = False,
        tokenize: bool = True,
        return_dict: bool = True,
    ) -> list[int]: ...

def cached_tokenizer_from_config(model_config: ModelConfig) -> TokenizerLike: ...
