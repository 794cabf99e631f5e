"""XMPP: the gateway for browser clients (`proxy`), and rooms for a bridge (`muc`)."""
