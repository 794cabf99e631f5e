//! What proxies say of a client: a PROXY header, the same whole or byte by byte, and forwarding fields.
#![no_main]

use hubbub_protocol::http::{Forwarded, Limits, Request, Spelling};
use hubbub_protocol::network::Networks;
use hubbub_protocol::proxy;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let whole = proxy::parse(data);
    let pieces = (0..=data.len())
        .map(|end| proxy::parse(&data[..end]))
        .find(|found| *found != Ok(None));
    assert_eq!(whole, pieces.unwrap_or(Ok(None)));
    if let Ok(Some(header)) = whole {
        assert!(header.length <= data.len());
    }
    let Ok(request) = Request::parse(data, &Limits::default()) else {
        return;
    };
    let trusted = Networks::parse(["10.0.0.0/8", "unix"]).expect("written correctly");
    for spelling in [Spelling::XForwarded, Spelling::Forwarded] {
        let stranger = Some([192, 0, 2, 1].into());
        let found = Forwarded::of(&request.fields, spelling, stranger, &trusted);
        assert_eq!(found, Forwarded::default());
        let found = Forwarded::of(&request.fields, spelling, None, &trusted);
        assert!(found.host.is_none_or(|host| !host.is_empty()));
    }
});
