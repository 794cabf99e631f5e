//! Extension headers against `tests/vectors/extensions.json`, and against whatever a peer may write (threats.md C2).

use std::time::{Duration, Instant};

use hubbub_protocol::deflate::{Settings, Window};
use hubbub_protocol::extensions::{negotiate, verify_agreement, write_agreement, write_offer};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    negotiate: Vec<Negotiation>,
    verify: Vec<Verification>,
}

#[derive(Deserialize)]
struct Negotiation {
    why: String,
    window: String,
    window_bits: Option<u8>,
    offers: Vec<String>,
    answer: Option<String>,
}

#[derive(Deserialize)]
struct Verification {
    why: String,
    window: String,
    window_bits: Option<u8>,
    value: String,
    agreed: Option<String>,
    refused: Option<String>,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../../tests/vectors/extensions.json"))
        .expect("vectors are JSON")
}

fn settings(window: &str, window_bits: Option<u8>) -> Settings {
    let window = match window {
        "off" => Window::Off,
        "shared" => Window::Shared,
        "dedicated" => Window::Dedicated,
        other => panic!("window: {other}"),
    };
    let defaults = Settings::default();
    Settings {
        window,
        window_bits: window_bits.unwrap_or(defaults.window_bits),
        ..defaults
    }
}

fn answer(offers: &[&[u8]], settings: &Settings) -> Option<String> {
    let parameters = negotiate(offers.iter().copied(), settings)?;
    let mut out = Vec::new();
    write_agreement(&parameters, &mut out);
    Some(String::from_utf8(out).expect("an agreement is ASCII"))
}

#[test]
fn offers_are_answered_as_in_the_vectors() {
    for case in vectors().negotiate {
        let offers: Vec<&[u8]> = case.offers.iter().map(|offer| offer.as_bytes()).collect();
        assert_eq!(
            answer(&offers, &settings(&case.window, case.window_bits)),
            case.answer,
            "{}",
            case.why
        );
    }
}

#[test]
fn agreements_are_verified_as_in_the_vectors() {
    for case in vectors().verify {
        let verdict = verify_agreement(
            case.value.as_bytes(),
            &settings(&case.window, case.window_bits),
        );
        match verdict {
            Err(disagreement) => {
                assert_eq!(Some(disagreement.to_string()), case.refused, "{}", case.why)
            }
            Ok(parameters) => {
                assert_eq!(case.refused, None, "{}", case.why);
                let agreed = parameters.map(|parameters| {
                    let mut out = Vec::new();
                    write_agreement(&parameters, &mut out);
                    String::from_utf8(out).expect("an agreement is ASCII")
                });
                assert_eq!(agreed, case.agreed, "{}", case.why);
            }
        }
    }
}

#[test]
fn an_offer_of_ours_is_accepted_and_its_answer_verified() {
    for client_window in [Window::Off, Window::Shared, Window::Dedicated] {
        for server_window in [Window::Off, Window::Shared, Window::Dedicated] {
            for bits in 8..=15 {
                let client = Settings {
                    window: client_window,
                    window_bits: bits,
                    ..Settings::default()
                };
                let server = Settings {
                    window: server_window,
                    ..Settings::default()
                };
                let mut offer = Vec::new();
                write_offer(&client, &mut offer);
                let answer = answer(&[&offer], &server).unwrap_or_default();
                let agreed = verify_agreement(answer.as_bytes(), &client)
                    .expect("the answer of our own server");
                let either_is_off = client_window == Window::Off || server_window == Window::Off;
                assert_eq!(agreed.is_none(), either_is_off, "{client:?} {server:?}");
            }
        }
    }
}

/// C2: 1,000 offers, and whatever else fills a head of 16 KiB, within a millisecond (tenfold in a build for tests).
#[test]
fn hostile_fields_take_linear_time() {
    let limit = Duration::from_millis(if cfg!(debug_assertions) { 10 } else { 1 });
    let fields = [
        "permessage-deflate; server_max_window_bits=7, ".repeat(1000),
        "permessage-deflate;a=\"".repeat(750),
        ",".repeat(16_384),
        "permessage-deflate".to_owned() + &"; ".repeat(8_192),
        "\"\\".repeat(8_192),
        " ".repeat(16_384),
        "permessage-deflate; server_max_window_bits=".to_owned() + &"9".repeat(16_384),
    ];
    for field in fields {
        // The best of three: other processes may use this core too.
        let took = (0..3).map(|_| {
            let start = Instant::now();
            assert_eq!(answer(&[field.as_bytes()], &Settings::default()), None);
            start.elapsed()
        });
        let took = took.min().expect("three attempts");
        assert!(took <= limit, "{took:?} for {:?}…", &field[..20]);
    }
}

proptest! {
    #[test]
    fn bytes_of_any_kind_are_declined_or_answered(
        value in prop::collection::vec(prop::sample::select(b"permessage-deflate;client_max_window_bits=\"1058\\, \t\x00\xff".to_vec()), 0..80),
    ) {
        let _ = answer(&[&value], &Settings::default());
        let _ = verify_agreement(&value, &Settings::default());
    }

    #[test]
    fn an_answer_keeps_to_the_offer(
        server_flag: bool, client_flag: bool, server_bits in prop::option::of(8..=15u8), client_bits in prop::option::of(prop::option::of(8..=15u8)),
        own_bits in 8..=15u8, dedicated: bool, garbage in "[a-z=;\" ]{0,20}",
    ) {
        let mut offer = format!("{garbage}\u{20},x; {garbage}").replace('"', "") + ", permessage-deflate";
        if server_flag { offer += "; server_no_context_takeover"; }
        if let Some(bits) = server_bits { offer += &format!("; server_max_window_bits={bits}"); }
        match client_bits {
            Some(Some(bits)) => offer += &format!(";client_max_window_bits=\"{bits}\""),
            Some(None) => offer += ";client_max_window_bits",
            None => {}
        }
        if client_flag { offer += "; client_no_context_takeover"; }
        let window = if dedicated { Window::Dedicated } else { Window::Shared };
        let settings = Settings { window, window_bits: own_bits, ..Settings::default() };
        let agreed = negotiate([offer.as_bytes()].into_iter(), &settings).expect("a good offer");
        prop_assert!(agreed.server_no_context_takeover || !server_flag);
        if let Some(offered) = server_bits {
            prop_assert!(agreed.server_max_window_bits.is_some_and(|bits| bits <= offered));
        }
        match client_bits {
            None => prop_assert_eq!(agreed.client_max_window_bits, None),
            Some(offered) => prop_assert!(agreed.client_max_window_bits.is_none_or(|bits| bits <= offered.unwrap_or(15))),
        }
        // RFC 7692 §7.1: a client that meant what it offered finds its answer acceptable.
        let mut value = Vec::new();
        write_agreement(&agreed, &mut value);
        let client = Settings { window: Window::Dedicated, window_bits: 15, ..settings };
        prop_assert!(verify_agreement(&value, &client).is_ok());
    }
}
