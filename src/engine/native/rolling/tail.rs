//! The short last block of the basis, at the end of the content.

use super::RollingMatcher;
use crate::engine::native::strong::strong_sum;
use crate::engine::native::weak::{WeakSum, weak_sum};
use crate::engine::{CommandSink, Window};

impl RollingMatcher {
    /// At the end of the content: whether its last bytes are the short last block of the basis.
    pub(super) fn match_tail(&mut self, window: &Window<'_>, sink: &mut impl CommandSink) {
        let at = (self.position - window.start) as usize;
        let rest = &window.data[at..];
        let Some(last) = self.basis.len().checked_sub(1) else { return };
        let len = match self.tail_len {
            Some(0) => return,
            Some(len) if len > rest.len() => return,
            Some(len) => {
                let content = &rest[rest.len() - len..];
                Some(len).filter(|_| self.is_tail(weak_sum(self.params.weak, content), content, last))
            }
            None => self.search_tail(rest, last),
        };
        if let Some(len) = len {
            self.position = window.end() - len as u64;
            self.copy(window, last, len, sink);
        }
    }

    /// Tries every length that the last block may have, since a plain signature does not say.
    fn search_tail(&mut self, rest: &[u8], last: usize) -> Option<usize> {
        let longest = rest.len().min(self.params.block_len as usize - 1);
        let mut sum = WeakSum::new(self.params.weak, &[]);
        let wanted = self.basis.weak_of(last)?;
        for len in 1..=longest {
            let content = &rest[rest.len() - len..];
            sum.push_front(content[0]);
            self.budget.earn(1);
            if sum.digest() != wanted {
                continue;
            }
            let Some(purse) = self.budget.allows(std::iter::once(last), last, len as u64) else { continue };
            if self.is_tail(sum.digest(), content, last) {
                return Some(len);
            }
            self.budget.pay(purse, len as u64);
        }
        None
    }

    pub(super) fn is_tail(&self, weak: u32, content: &[u8], last: usize) -> bool {
        self.basis.has_weak(last, weak) && self.basis.has_strong(last, &strong_sum(self.params.strong, content))
    }
}
