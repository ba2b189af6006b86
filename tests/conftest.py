"""What holds for every test: no deadline on noisy machines, and no connection to any other machine."""

import ipaddress
import sys

from hypothesis import settings

settings.register_profile("longdoc", deadline=None)
settings.load_profile("longdoc")


def _only_loopback(event: str, arguments: tuple[object, ...]) -> None:
    if event != "socket.connect":
        return
    address = arguments[1]
    host = address[0] if isinstance(address, tuple) else "localhost"
    if host != "localhost" and not ipaddress.ip_address(str(host)).is_loopback:
        raise PermissionError(f"a test wanted to connect to {host}")


sys.addaudithook(_only_loopback)
