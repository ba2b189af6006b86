"""Settings: the only reader of the environment and of configuration files.

Order of precedence: options of the command > environment > `lda.toml` of the folder > `lda.toml` of the user >
defaults.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from longdoc.errors import ConfigError

EngineName = Literal["auto", "openai", "embedded", "vllm", "langchain", "scripted"]
_FILE = "lda.toml"
_FOLDER_LENGTH = 16
_CREDENTIALS = re.compile(
    r"""(?<=://)[^/?\#]*@    # user and password
      | (?<=://)[^:/@]*:.*@  # the same where the password holds a slash, which drivers of databases accept
      | (?<=\?).+            # parameters: a password or key may be among them
    """,
    re.VERBOSE | re.DOTALL,
)


class VllmSettings(BaseModel):
    """How vLLM runs a model in this process: the table `[vllm]` of `lda.toml`, or `LDA_VLLM__DTYPE` and so on.

    What is not set is left to vLLM. `arguments` are any others of its engine arguments, by their names in Python. The
    window is the setting `context_window`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dtype: str | None = None
    quantization: str | None = None
    tensor_parallel_size: PositiveInt | None = None
    pipeline_parallel_size: PositiveInt | None = None
    data_parallel_size: PositiveInt | None = None
    gpu_memory_utilization: Annotated[float, Field(gt=0.0, le=1.0)] | None = None
    max_num_seqs: PositiveInt | None = None
    enforce_eager: bool | None = None
    arguments: dict[str, object] = Field(default_factory=dict[str, object])

    def engine_arguments(self) -> dict[str, object]:
        """What is set, as arguments of vLLM's engine."""
        return self.model_dump(exclude={"arguments"}, exclude_none=True) | self.arguments

    def __str__(self) -> str:
        return ", ".join(f"{name}={value}" for name, value in self.engine_arguments().items()) or "as vLLM has it"


class Settings(BaseSettings):
    """Everything a user can set once; what belongs to one request is an option of its command."""

    model_config = SettingsConfigDict(env_prefix="LDA_", env_nested_delimiter="__", extra="forbid", frozen=True)

    engine: EngineName = Field("auto", description="where models run; auto looks for one")
    model: str | None = Field(None, description="model name, catalogue name or path of a GGUF file")
    base_url: str | None = Field(
        None,
        validation_alias=AliasChoices("base_url", "LDA_BASE_URL", "OPENAI_BASE_URL"),
        description="address of an OpenAI-compatible server",
    )
    api_key: str | None = Field(
        None,
        validation_alias=AliasChoices("api_key", "LDA_API_KEY", "OPENAI_API_KEY"),
        description="key for that server",
        repr=False,
    )
    context_window: PositiveInt | None = Field(None, description="window in tokens, where the server does not tell")
    concurrency: PositiveInt | None = Field(None, description="calls at once; adaptive where not set")
    timeout: PositiveFloat = Field(600.0, description="seconds to wait for one answer")
    attempts: PositiveInt = Field(5, description="tries of a call that fails for a passing reason")
    prompt_price: NonNegativeFloat = Field(0.0, description="US dollars per million prompt tokens")
    completion_price: NonNegativeFloat = Field(0.0, description="US dollars per million answer tokens")
    vllm: VllmSettings = Field(VllmSettings(), description="how vLLM runs a model in this process")
    embedding_model: str | None = Field(
        None, description="model for embeddings: catalogue name, folder, name on the hub, or 'hashed' for none"
    )
    embedding_base_url: str | None = Field(None, description="address of an OpenAI-compatible server for embeddings")
    embedding_api_key: str | None = Field(None, description="key for that server", repr=False)
    database: str | None = Field(None, description="path of a SQLite file or a PostgreSQL address")
    indexes_dir: Path | None = Field(None, description="where indexes of documents lie; beside the database if not set")
    memory_cache: NonNegativeInt = Field(
        256, description="megabytes that open indexes of conversations take in a service (the Python API)"
    )
    profile_tasks: Path | None = Field(None, description="TOML file of tasks for users, beside those built in")
    models_dir: Path | None = Field(None, description="where pulled models lie")
    hub_url: str = Field(
        "https://huggingface.co",
        validation_alias=AliasChoices("hub_url", "LDA_HUB_URL", "HF_ENDPOINT"),
        description="model hub to pull from",
    )
    trace_content: bool = Field(False, description="spans of OpenTelemetry hold prompts and answers")
    scripted_delay: NonNegativeFloat = Field(0.0, description="seconds the scripted engine takes for an answer")

    @property
    def database_location(self) -> str:
        """The database to open: as set, or a file in the user's data folder."""
        return self.database or str(Path(platformdirs.user_data_dir("longdoc")) / "longdoc.db")

    def indexes_directory(self, location: str) -> Path:
        """The folder of what is derived from a database, and from no other: beside its file, or in the folder set.

        What is derived from a server's lies in the user's data folder where none is set. `location` is the path of a
        SQLite file or the address of a server.
        """
        served = "://" in location
        if self.indexes_dir is None and not served:
            return Path(f"{location}.indexes")
        shared = self.indexes_dir or Path(platformdirs.user_data_dir("longdoc")) / "indexes"
        place = location if served else str(Path(location).resolve())
        return shared / hashlib.sha256(place.encode("utf-8", "surrogatepass")).hexdigest()[:_FOLDER_LENGTH]

    @property
    def models_directory(self) -> Path:
        """The folder of pulled models: as set, or one in the user's data folder."""
        return self.models_dir or Path(platformdirs.user_data_dir("longdoc")) / "models"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Options, then environment, then files."""
        return (init_settings, env_settings, *_file_sources(settings_cls).values())


@dataclass(frozen=True, slots=True)
class SettingOrigin:
    """A setting as shown by `lda config show`: its value as text (secrets hidden) and where it was set."""

    name: str
    value: str
    origin: str
    description: str


def user_config_file() -> Path:
    """Where a user's own settings are read from."""
    return Path(platformdirs.user_config_dir("longdoc")) / _FILE


def load_settings(options: Mapping[str, object] | None = None) -> Settings:
    """Settings from all sources; `options` are those given on the command line (None means not given).

    Raises `ConfigError` naming the setting and what is wrong with it.
    """
    given = {key: value for key, value in (options or {}).items() if value is not None}
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors())
        raise ConfigError(f"settings cannot be used: {problems} (see 'lda config show')") from error
    except (SettingsError, ValueError) as error:
        raise ConfigError(f"settings cannot be read: {error} (look into {_FILE})") from error


def without_credentials(location: str) -> str:
    """An address as it may be shown, with user, password and parameters hidden; paths of files as they are."""
    return (
        _CREDENTIALS.sub(lambda found: "***@" if found[0].endswith("@") else "***", location)
        if "://" in location
        else location
    )


def describe_settings(options: Mapping[str, object] | None = None) -> list[SettingOrigin]:
    """Every setting with its value and origin. Raises `ConfigError` as `load_settings` does."""
    given = {key: value for key, value in (options or {}).items() if value is not None}
    settings = load_settings(given)
    sources: dict[str, Mapping[str, object]] = {
        "option": InitSettingsSource(Settings, given)(),
        "environment": EnvSettingsSource(Settings)(),
        **{str(path): source() for path, source in _file_sources(Settings).items()},
    }
    return [_origin(name, settings, sources) for name in Settings.model_fields]


def _file_sources(settings: type[BaseSettings]) -> dict[Path, TomlConfigSettingsSource]:
    files = (Path(_FILE), user_config_file())
    return {path: TomlConfigSettingsSource(settings, path) for path in files if path.is_file()}


def _origin(name: str, settings: Settings, sources: Mapping[str, Mapping[str, object]]) -> SettingOrigin:
    field = Settings.model_fields[name]
    choices = field.validation_alias.choices if isinstance(field.validation_alias, AliasChoices) else []
    keys = {name, *(choice for choice in choices if isinstance(choice, str))}
    origin = next((label for label, values in sources.items() if keys & values.keys()), "default")
    value = getattr(settings, name)
    shown = "(hidden)" if value is not None and not field.repr else without_credentials(str(value))
    return SettingOrigin(name, shown, origin, field.description or "")
