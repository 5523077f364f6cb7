use kernels::PackedRows;
use std::collections::BTreeMap;
use std::ops::Range;

/// Token sequences as a tree: what several begin with stands in it once. Tokens are numbered as they come, so that one that
/// follows another has the higher number.
#[derive(Debug, Default)]
pub(super) struct TokenTree {
    ids: Vec<u32>,
    before: Vec<Option<usize>>,
    positions: Vec<u32>,
    next: BTreeMap<(Option<usize>, u32), usize>,
    /// So many tokens at the root follow one another, and everything else follows them.
    shared: usize,
    /// Neighbours that follow one another and were added since the last [`TokenTree::take_new`].
    new: Vec<Range<usize>>,
}

/// New tokens as a model computes them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) ids: Vec<u32>,
    pub(super) positions: Vec<u32>,
    /// Numbers of the tokens that are seen, way by way, after the shared ones.
    pub(super) seen: Vec<u32>,
    /// Tokens of each way, without the shared ones.
    pub(super) lengths: Vec<usize>,
    /// Where on the ways each new token stands.
    pub(super) asking: Vec<usize>,
    /// The shared tokens, where they are not new themselves.
    pub(super) shared: usize,
}

impl Layout {
    /// The ways, of which only these of the new tokens ask.
    pub(super) fn ways(&self, asking: impl Iterator<Item = usize>) -> PackedRows {
        let asking = asking.filter_map(|token| self.asking.get(token).copied()).collect();
        PackedRows::new(self.lengths.clone()).after(self.shared).only(asking)
    }
}

impl TokenTree {
    /// A tree whose root is `prefix`, which is not new.
    pub(super) fn after(prefix: &[u32]) -> Self {
        let mut tree = Self::default();
        tree.add(None, prefix);
        tree.new.clear();
        tree.shared = prefix.len();
        tree
    }

    /// The last token of the root.
    pub(super) fn root(&self) -> Option<usize> {
        self.shared.checked_sub(1)
    }

    /// What follows `token` as `id`, if it is there.
    pub(super) fn next(&self, token: usize, id: u32) -> Option<usize> {
        self.next.get(&(Some(token), id)).copied()
    }

    /// The numbers of `ids` after a token; what is not there yet is added.
    pub(super) fn add(&mut self, mut after: Option<usize>, ids: &[u32]) -> Vec<usize> {
        let mut numbers = Vec::with_capacity(ids.len());
        for &id in ids {
            let token = match self.next.get(&(after, id)) {
                Some(&there) => there,
                None => self.push(after, id),
            };
            numbers.push(token);
            after = Some(token);
        }
        numbers
    }

    /// Adds a token, though one like it may be there.
    pub(super) fn push(&mut self, after: Option<usize>, id: u32) -> usize {
        let token = self.ids.len();
        self.ids.push(id);
        self.positions.push(after.and_then(|a| self.positions.get(a)).map_or(0, |position| position + 1));
        self.before.push(after);
        self.next.insert((after, id), token);
        match self.new.last_mut().filter(|last| last.end == token && after == Some(token - 1)) {
            Some(last) => last.end += 1,
            None => self.new.push(token..token + 1),
        }
        token
    }

    /// What was added since the last call: neighbours that follow one another.
    pub(super) fn take_new(&mut self) -> Vec<Range<usize>> {
        std::mem::take(&mut self.new)
    }

    /// How to compute what is new; what it follows is computed already, or among it.
    pub(super) fn layout(&self, new: &[Range<usize>]) -> Layout {
        let mut seen: Vec<u32> = (0..self.shared).map(|token| token as u32).collect();
        let (mut lengths, mut asking) = (Vec::new(), Vec::new());
        let mut start = 0;
        for chain in new {
            let mut way: Vec<u32> = Vec::new();
            let mut token = chain.end.checked_sub(1);
            while let Some(number) = token.filter(|&number| number >= self.shared) {
                way.push(number as u32);
                token = self.before.get(number).copied().flatten();
            }
            asking.extend(start + way.len() - chain.len()..start + way.len());
            start += way.len();
            lengths.push(way.len());
            seen.extend(way.iter().rev());
        }
        let of = |values: &[u32]| new.iter().filter_map(|chain| values.get(chain.clone())).flatten().copied().collect();
        Layout { ids: of(&self.ids), positions: of(&self.positions), seen, lengths, asking, shared: self.shared }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sequences_begin_with_stands_once_and_a_way_leads_through_it() {
        let mut tree = TokenTree::after(&[1, 2]);
        assert_eq!(tree.add(tree.root(), &[5, 6, 7]), [2, 3, 4]);
        assert_eq!(tree.add(tree.root(), &[5, 8]), [2, 5]);
        assert_eq!(tree.add(Some(4), &[9]), [6]);
        assert_eq!(tree.add(tree.root(), &[5, 6]), [2, 3]);
        let new = tree.take_new();
        assert_eq!(new, [2..5, 5..6, 6..7]);
        let layout = tree.layout(&new);
        assert_eq!(layout.ids, [5, 6, 7, 8, 9]);
        assert_eq!(layout.positions, [2, 3, 4, 3, 5]);
        assert_eq!(layout.seen, [0, 1, 2, 3, 4, 2, 5, 2, 3, 4, 6]);
        assert_eq!((layout.lengths, layout.asking, layout.shared), (vec![3, 2, 4], vec![0, 1, 2, 4, 8], 2));
        assert!(tree.take_new().is_empty());
    }

    #[test]
    fn a_token_pushed_twice_is_two_tokens_of_which_the_later_is_found() {
        let mut tree = TokenTree::after(&[]);
        assert_eq!(tree.root(), None);
        assert_eq!(tree.add(None, &[4, 4]), [0, 1]);
        assert_eq!(tree.push(Some(0), 4), 2);
        assert_eq!(tree.next(0, 4), Some(2));
        assert_eq!(tree.take_new(), [0..2, 2..3]);
    }
}
