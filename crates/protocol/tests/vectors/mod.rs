//! Reads the vectors at the root of the repository, which other languages read too.

use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Deserialize)]
struct Table<Row> {
    rows: Vec<Row>,
}

/// The rows of `tests/vectors/<file>`.
pub(crate) fn rows<Row: DeserializeOwned>(file: &str) -> Vec<Row> {
    let path = format!("{}/../../tests/vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let table: Table<Row> =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
    table.rows
}

/// Bytes as the vectors write them: text in Latin-1, or a list of texts and repetitions.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Bytes {
    Text(String),
    Repeat { repeat: String, times: usize },
    Parts(Vec<Bytes>),
}

impl Bytes {
    pub(crate) fn to_vec(&self) -> Vec<u8> {
        match self {
            Bytes::Text(text) => latin1(text),
            Bytes::Repeat { repeat, times } => latin1(repeat).repeat(*times),
            Bytes::Parts(parts) => parts.iter().flat_map(Bytes::to_vec).collect(),
        }
    }
}

fn latin1(text: &str) -> Vec<u8> {
    text.chars()
        .map(|char| u8::try_from(char).expect("vectors are Latin-1"))
        .collect()
}
