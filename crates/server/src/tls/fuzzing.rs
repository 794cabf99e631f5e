//! The door through which `fuzz/tls` reaches a connection's TLS; not there in any other build.

use super::{Tls, TlsContext};

/// Reads `stream` as a server does, so many bytes at a time; what was not understood is kept for the next read.
pub fn read_tls(context: &TlsContext, stream: &[u8], piece_bytes: usize) {
    let mut tls = Tls::accept(context).expect("a session");
    let mut plain = vec![0; 256 << 10];
    for piece in stream.chunks(piece_bytes) {
        let kept = tls.partial().len();
        let mut cipher = vec![0; kept + piece.len()];
        tls.take_partial(&mut cipher);
        cipher[kept..].copy_from_slice(piece);
        let opened = tls.open(&mut cipher, &mut plain);
        // What is sent is part of an answer, an alert at least.
        if opened.is_err() {
            return;
        }
        tls.advance(tls.unsent().len());
    }
}
