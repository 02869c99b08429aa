//! Chance, from the operating system.

use std::cell::RefCell;

use service::ports::Entropy;

/// Bytes that a thread draws at once. An id takes ten, and asking the system costs nearly the same for a few as for
/// many.
const DRAWN: usize = 256;

/// The operating system's random source.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

/// Bytes that were drawn and not yet given out. What was given out is not kept.
struct Drawn {
    bytes: [u8; DRAWN],
    left: usize,
}

thread_local! {
    static DRAWN_HERE: RefCell<Drawn> = const { RefCell::new(Drawn { bytes: [0; DRAWN], left: 0 }) };
}

impl Entropy for OsEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        if bytes.len() > DRAWN / 4 {
            return draw(bytes);
        }
        DRAWN_HERE.with_borrow_mut(|drawn| {
            if drawn.left < bytes.len() {
                draw(&mut drawn.bytes);
                drawn.left = DRAWN;
            }
            let rest = drawn.left - bytes.len();
            let given = &mut drawn.bytes[rest..drawn.left];
            bytes.copy_from_slice(given);
            given.fill(0);
            drawn.left = rest;
        });
    }
}

fn draw(bytes: &mut [u8]) {
    // A machine that cannot give random bytes cannot make keys: to stop is the only safe answer.
    getrandom::fill(bytes).expect("the operating system gives random bytes");
}

#[cfg(test)]
mod tests {
    use service::ports::EntropyExt;

    use super::*;

    #[test]
    fn two_draws_differ() {
        assert_ne!(OsEntropy.bytes::<32>(), OsEntropy.bytes::<32>());
    }

    #[test]
    fn no_byte_is_given_twice_and_what_was_given_is_not_kept() {
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let id = OsEntropy.bytes::<10>();
            assert!(seen.insert(id), "{id:?}");
            let kept = DRAWN_HERE.with_borrow(|drawn| drawn.bytes);
            assert!(!kept.windows(10).any(|it| it == id), "{id:?}");
        }
    }

    #[test]
    fn much_is_drawn_at_once_and_nothing_left_out() {
        let mut much = [0; 4 * DRAWN];
        OsEntropy.fill(&mut much);
        assert!(much.chunks(16).all(|it| it != [0; 16]));
    }
}
