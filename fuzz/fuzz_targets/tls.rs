//! A server's TLS reads anything, in pieces of any size: it understands, or it says no.
#![no_main]

use std::sync::{Arc, OnceLock};

use hubbub_server::{Pair, TlsContext, TlsSettings, fuzzing};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    static CONTEXT: OnceLock<Arc<TlsContext>> = OnceLock::new();
    let context = CONTEXT.get_or_init(|| {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a pair");
        let pair = Pair {
            name: "fuzz".to_owned(),
            chain: made.cert.pem().into_bytes(),
            key: made.signing_key.serialize_pem().into_bytes(),
        };
        let settings = TlsSettings {
            pairs: vec![pair],
            ..TlsSettings::default()
        };
        Arc::new(TlsContext::new(&settings).expect("a pair"))
    });
    if let Some((&size, stream)) = data.split_first() {
        fuzzing::read_tls(context, stream, usize::from(size) + 1);
    }
});
