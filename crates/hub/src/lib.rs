//! Who hears what: topics and their subscribers. No sockets, no bytes on the wire.
