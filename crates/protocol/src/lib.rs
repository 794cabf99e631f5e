//! WebSocket and HTTP/1.1 as bytes in, events out: no sockets, no clock, no Python.
