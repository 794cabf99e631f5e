//! Both halves of the opening handshake: a server reads anything and answers; a client reads anything as an answer.
#![no_main]

use hubbub_protocol::deflate::{Settings, Window};
use hubbub_protocol::extensions;
use hubbub_protocol::handshake::{self, Acceptance, ClientRequest, OriginPolicy};
use hubbub_protocol::http::{Limits, Request, list};
use libfuzzer_sys::fuzz_target;

const WINDOWS: [Window; 3] = [Window::Shared, Window::Dedicated, Window::Off];

fuzz_target!(|data: &[u8]| {
    let Some((&setting, text)) = data.split_first() else {
        return;
    };
    let settings = Settings {
        window: WINDOWS[usize::from(setting) % 3],
        window_bits: setting >> 4,
        ..Settings::default()
    };
    serve(text, &settings);
    let sent = ClientRequest {
        host: "localhost",
        target: "/",
        key: *b"the sample nonce",
        protocols: &["chat", "superchat"],
        deflate: Some(&settings),
        fields: &[],
    };
    let _ = handshake::verify(text, &sent);
    let _ = extensions::verify_agreement(text, &settings);
    let _ = list::tokens([text].into_iter()).count();
    if let Some(agreed) = extensions::negotiate([text].into_iter(), &settings) {
        let mut answer = Vec::new();
        extensions::write_agreement(&agreed, &mut answer);
        // Whatever the offer was, a client that wants contexts to be kept has nothing to object to.
        let client = Settings {
            window: Window::Dedicated,
            window_bits: 15,
            ..settings
        };
        assert!(extensions::verify_agreement(&answer, &client).is_ok());
    }
});

fn serve(head: &[u8], settings: &Settings) {
    let Ok(request) = Request::parse(head, &Limits::default()) else {
        return;
    };
    let Ok(Some(offer)) = handshake::examine(&request) else {
        return;
    };
    let _ = OriginPolicy::SameHost.allows(offer.origin(), "localhost", true);
    let deflate = extensions::negotiate(offer.extensions(), settings);
    let protocol = offer.protocols().last();
    let acceptance = Acceptance {
        protocol,
        deflate: deflate.as_ref(),
        fields: &[],
    };
    let mut answer = Vec::new();
    handshake::accept(&offer, &acceptance, &mut answer).expect("what was offered may be accepted");
    assert!(answer.is_ascii() && answer.ends_with(b"\r\n\r\n"));
}
