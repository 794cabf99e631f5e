//! WebSocket and HTTP/1.1 as bytes in, events out: no sockets, no clock, no randomness, no Python.
//!
//! What arrives goes into [`http`] until a request is whole, through [`handshake`] if it asks for a WebSocket,
//! and from then on into an [`endpoint::Endpoint`], which turns bytes into events and messages into bytes.

pub mod close;
pub mod command;
pub mod deflate;
pub mod endpoint;
pub mod error;
mod event;
pub mod extensions;
pub mod frame;
pub mod handshake;
pub mod http;
pub mod mask;
mod message;
pub mod network;
pub mod proxy;
pub mod transcode;
pub mod utf8;
