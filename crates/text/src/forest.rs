/// Union-find whose roots are the smallest index of their tree.
#[derive(Debug)]
pub(crate) struct Forest(Vec<usize>);

impl Forest {
    /// As many trees as texts.
    pub(crate) fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    /// The root of a tree, without shortening the way to it: several threads may ask at once.
    pub(crate) fn find(&self, mut i: usize) -> usize {
        while self.0[i] != i {
            i = self.0[i];
        }
        i
    }

    /// Makes two trees one.
    pub(crate) fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.shorten(a), self.shorten(b));
        self.0[a.max(b)] = a.min(b);
    }

    fn shorten(&mut self, mut i: usize) -> usize {
        while self.0[i] != i {
            self.0[i] = self.0[self.0[i]];
            i = self.0[i];
        }
        i
    }
}
