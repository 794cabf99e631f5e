//! Commands that publish: what is understood is what any reader of JSON understands, and stands where it says.
#![no_main]

use hubbub_protocol::command::Publish;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Some(found) = Publish::read(text) else {
        return;
    };
    assert!(found.id > 0 && !found.channel.contains(['"', '\\', '\n']));
    let Publish { id, channel, data } = found;
    // Written anew it says the same.
    let again =
        format!("{{\"publish\":{{\"data\":{data},\"channel\":\"{channel}\"}},\"id\":{id}}}");
    assert_eq!(Publish::read(&again), Some(found));
    let json: serde_json::Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(json["id"], id);
    assert_eq!(json["publish"]["channel"], channel);
    // What stands outside says nothing more.
    assert_eq!(json.as_object().map(serde_json::Map::len), Some(2));
    assert_eq!(
        json["publish"].as_object().map(serde_json::Map::len),
        Some(2)
    );
});
