//! Sockets, timers and the worker that joins them to the protocol.
