"""The bridge to rooms on XMPP servers (XEP-0045), as an account of a server or as a component."""
