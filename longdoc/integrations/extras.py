"""Packages that an integration needs and that are not there for everybody."""

from __future__ import annotations

from importlib.util import find_spec

from longdoc.errors import ConfigError


def require(package: str, *, extra: str) -> None:
    """Raises `ConfigError` that says what to install where a package is not installed."""
    if find_spec(package) is None:
        raise ConfigError(f"{package} is not installed; install it with: pip install 'longdoc[{extra}]'")
