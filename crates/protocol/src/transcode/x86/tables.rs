//! Shuffles that move the wanted lanes of 16 bytes together, made by the compiler; what `sse` has for `vpcompressb`.

/// A lane of the source for each byte; its top bit makes a zero.
pub(super) type Shuffle = [u8; 16];

const NOTHING: u8 = 0x80;

/// The lanes of `SIZE` bytes whose bits are set.
const fn compress<const SIZE: usize, const COUNT: usize>() -> [Shuffle; COUNT] {
    let mut shuffles = [[NOTHING; 16]; COUNT];
    let mut bits = 0;
    while bits < COUNT {
        let (mut lane, mut to) = (0, 0);
        while COUNT >> lane > 1 {
            if bits >> lane & 1 == 1 {
                let mut byte = 0;
                while byte < SIZE {
                    shuffles[bits][to] = (lane * SIZE + byte) as u8;
                    to += 1;
                    byte += 1;
                }
            }
            lane += 1;
        }
        bits += 1;
    }
    shuffles
}

/// Of the first eight bytes, those whose bits are set.
pub(super) static BYTES: [Shuffle; 256] = compress::<1, 256>();
/// Of eight lanes of two bytes.
pub(super) static PAIRS: [Shuffle; 256] = compress::<2, 256>();
/// Of four lanes of four bytes.
pub(super) static QUADS: [Shuffle; 16] = compress::<4, 16>();

/// Of eight lanes of two bytes: both bytes where the bit is set, else the last one.
pub(super) static LAST_OR_BOTH: [Shuffle; 256] = {
    let mut shuffles = [[NOTHING; 16]; 256];
    let mut bits = 0;
    while bits < 256 {
        let (mut lane, mut to) = (0, 0);
        while lane < 8 {
            if bits >> lane & 1 == 1 {
                shuffles[bits][to] = 2 * lane;
                to += 1;
            }
            shuffles[bits][to] = 2 * lane + 1;
            to += 1;
            lane += 1;
        }
        bits += 1;
    }
    shuffles
};

/// Of four lanes of four bytes: the last one, and as many before it as two bits of the index say: for the first lane,
/// bits 0 and 4, and so on.
pub(super) static LAST_OR_MORE: [Shuffle; 256] = last_and_more(2);

/// As above, where each of the two bits stands for one byte more.
pub(super) static LAST_AND_MORE: [Shuffle; 256] = last_and_more(1);

const fn last_and_more(second_bit: usize) -> [Shuffle; 256] {
    let mut shuffles = [[NOTHING; 16]; 256];
    let mut index = 0;
    while index < 256 {
        let (mut lane, mut to) = (0, 0);
        while lane < 4 {
            let more = (index >> lane & 1) + (index >> (lane + 4) & 1) * second_bit;
            let mut byte = 3 - more;
            while byte < 4 {
                shuffles[index][to] = (4 * lane + byte) as u8;
                to += 1;
                byte += 1;
            }
            lane += 1;
        }
        index += 1;
    }
    shuffles
}
