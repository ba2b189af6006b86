from longdoc.client.transports import AsyncClient, Client

__all__ = ["AsyncClient", "Client"]
