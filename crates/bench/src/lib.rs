//! A WebSocket load generator that verifies what it measures.
