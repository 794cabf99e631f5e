"""XMPP: the gateway for browser clients (`proxy`)."""
