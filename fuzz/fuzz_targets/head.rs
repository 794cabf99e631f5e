//! A request, head and body: never a panic, and the same whole or byte by byte.
#![no_main]

use hubbub_protocol::http::{BodyReader, HeadScanner, Limits, Refusal, Request};
use libfuzzer_sys::fuzz_target;

const BODY_LIMIT_BYTES: u64 = 4096;

fuzz_target!(|data: &[u8]| {
    let limits = Limits::default();
    let whole = HeadScanner::default().find_end(data, &limits);
    let mut scanner = HeadScanner::default();
    let pieces = (0..=data.len())
        .map(|end| scanner.find_end(&data[..end], &limits))
        .find(|found| *found != Ok(None));
    assert_eq!(whole, pieces.unwrap_or(Ok(None)));

    let Ok(Some(end)) = whole else { return };
    let Ok(request) = Request::parse(&data[..end], &limits) else {
        return;
    };
    assert!(request.fields.len() <= limits.fields);
    assert!(request.target.path.starts_with('/') || request.target.path == "*");
    let body = &data[end..];
    let whole = read(BodyReader::new(request.framing(), BODY_LIMIT_BYTES), [body]);
    let pieces = read(
        BodyReader::new(request.framing(), BODY_LIMIT_BYTES),
        body.chunks(1),
    );
    assert_eq!(whole, pieces);
    // The streamed reading, cut where the first byte says.
    let cut = usize::from(body.first().copied().unwrap_or_default()).min(body.len());
    let streamed = read_in_place(
        BodyReader::new(request.framing(), BODY_LIMIT_BYTES),
        [&body[..cut], &body[cut..]],
    );
    assert_eq!(whole, streamed);
});

/// The same by the reader that leaves the content where it is.
fn read_in_place<'a>(
    reader: Result<BodyReader, Refusal>,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(Vec<u8>, usize), Refusal> {
    let (mut reader, mut content, mut length) = (reader?, Vec::new(), 0);
    for piece in pieces {
        let mut piece = piece.to_vec();
        let (consumed, place, is_complete) = reader.read_in_place(&mut piece)?;
        assert!(place.end <= consumed && consumed <= piece.len());
        content.extend_from_slice(&piece[place]);
        length += consumed;
        if is_complete {
            break;
        }
    }
    Ok((content, length))
}

/// The content and the length of a body, as far as it goes.
fn read<'a>(
    reader: Result<BodyReader, Refusal>,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(Vec<u8>, usize), Refusal> {
    let (mut reader, mut content, mut length) = (reader?, Vec::new(), 0);
    for piece in pieces {
        let (consumed, is_complete) = reader.read(piece, &mut content)?;
        assert!(is_complete || consumed == piece.len());
        assert!(content.len() as u64 <= BODY_LIMIT_BYTES);
        length += consumed;
        if is_complete {
            break;
        }
    }
    Ok((content, length))
}
