/// Runs `work` on one of the threads that the products are split between. A thread that is none of them sleeps and is woken
/// once for each op that it splits; on one of them it takes part instead.
pub fn on_workers<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    rayon::scope(|_| work())
}
