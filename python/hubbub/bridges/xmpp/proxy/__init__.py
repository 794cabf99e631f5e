"""XMPP over WebSocket (RFC 7395): browser clients reach the servers that are configured.

Serve it alone with `hubbub run hubbub.bridges.xmpp.proxy:app`, or beside the chat: docs/xmpp.md.
"""

from hubbub.app import App
from hubbub.bridges.xmpp.proxy.proxy import Proxy
from hubbub.bridges.xmpp.proxy.settings import ProxySettings, ServerSettings

__all__ = ["Config", "Proxy", "ProxySettings", "ServerSettings", "app"]

Config = ProxySettings
"""What stands in `[app.config]`."""


def app(config: ProxySettings) -> App[ProxySettings]:
    """A proxy with these settings."""
    made: App[ProxySettings] = App(config=ProxySettings)
    made.configure(config)
    made.state.proxy = Proxy(config)
    made.state.proxy.install(made)
    return made
