"""What holds for every test: names that never change, no deadline on noisy machines, no connection elsewhere."""

import ipaddress
import sys

import pytest
from hypothesis import settings

settings.register_profile("longdoc", deadline=None)
settings.load_profile("longdoc")


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Bytes are named by their argument: archives hold the time they were made, and each worker makes its own."""
    del config
    return argname if isinstance(val, bytes) else None


def _only_loopback(event: str, arguments: tuple[object, ...]) -> None:
    if event != "socket.connect":
        return
    address = arguments[1]
    host = address[0] if isinstance(address, tuple) else "localhost"
    if host != "localhost" and not ipaddress.ip_address(str(host)).is_loopback:
        raise PermissionError(f"a test wanted to connect to {host}")


sys.addaudithook(_only_loopback)
