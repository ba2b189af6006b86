"""Settings: precedence, clear errors, and secrets that stay secret."""

from pathlib import Path

import pytest

from longdoc.config import describe_settings, load_settings
from longdoc.errors import ConfigError


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    for name in ("LDA_MODEL", "LDA_TIMEOUT", "LDA_MODELS_DIR", "OPENAI_API_KEY", "OPENAI_BASE_URL", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


def test_options_win_over_environment_over_folder_over_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "user/longdoc").mkdir(parents=True)
    (tmp_path / "user/longdoc/lda.toml").write_text('model = "user"\ntimeout = 1\nattempts = 2\nconcurrency = 7\n')
    (tmp_path / "lda.toml").write_text('model = "folder"\ntimeout = 2\nattempts = 3\n')
    monkeypatch.setenv("LDA_MODEL", "environment")
    monkeypatch.setenv("LDA_TIMEOUT", "3")
    settings = load_settings({"model": "option", "timeout": None})
    assert (settings.model, settings.timeout, settings.attempts, settings.concurrency) == ("option", 3.0, 3, 7)


def test_standard_names_of_the_environment_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:1/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    settings = load_settings()
    assert (settings.base_url, settings.api_key) == ("http://localhost:1/v1", "sk-secret")


def test_each_setting_says_where_it_was_set_and_hides_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    shown = {setting.name: setting for setting in describe_settings({"model": "m"})}
    assert shown["model"].origin == "option"
    assert shown["api_key"].origin == "environment"
    assert shown["timeout"].origin == "default"
    assert "sk-secret" not in str(shown)
    assert "sk-secret" not in repr(load_settings())


_WRONG = ["timeout = -1", "nonsense = 1", "engine = 'steam'", "timeout = [", "timeout = 'soon'"]


@pytest.mark.parametrize("line", _WRONG)
def test_wrong_settings_are_one_clear_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "lda.toml").write_text(line)
    with pytest.raises(ConfigError, match="settings cannot be") as caught:
        load_settings()
    assert "\n" not in str(caught.value)
