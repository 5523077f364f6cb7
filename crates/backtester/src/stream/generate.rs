use super::parts::{PART, part_name};
use crate::Error;
use artifacts::rows::Bar;
use artifacts::{Seed, Timestamp, Writer};
use rand::{Rng, RngCore};
use std::path::Path;

/// Bars of a minute, from 2000-01-01 on.
const FROM: i64 = 946_684_800;
const SECONDS: i64 = 60;

/// Writes made-up one-minute bars into the folder `out`: a walk of the logarithm of the price that is drawn back to where
/// it began, with a volatility that comes and goes. Prices are multiples of `tick` (0: unrounded, so that no two means of
/// them are equal). The same seed gives the same files.
///
/// # Errors
/// A file that cannot be written.
pub fn generate_bars(bars: u64, tick: f64, seed: Seed, out: &Path) -> Result<(), Error> {
    let mut rng = seed.derive("backtester/bars").rng();
    // the sum of four uniform numbers, with mean 0 and deviation 1
    let mut normal = move || {
        let sum: f64 = (0..4).map(|_| rng.random::<f64>()).sum();
        let volume = rng.next_u64() >> 44;
        ((sum - 2.0) * 3.0_f64.sqrt(), volume)
    };
    let least = if tick > 0.0 { tick } else { f64::MIN_POSITIVE };
    let whole = |price: f64, round: fn(f64) -> f64| {
        // divided, not multiplied: hundredths then are the numbers that people write
        let price = if tick > 0.0 { round(price / tick) / (1.0 / tick) } else { price };
        price.max(least)
    };
    let (mut log, mut noise) = (0.0_f64, 1.0_f64);
    let mut last = whole(100.0 * log.exp(), f64::round);
    let mut writer = Writer::<Bar>::create(&out.join(part_name("bars", 0)))?;
    for i in 0..bars {
        if i > 0 && i % PART == 0 {
            writer.finish()?;
            writer = Writer::create(&out.join(part_name("bars", i / PART)))?;
        }
        let (shock, volume) = normal();
        let (reach, _) = normal();
        noise = (0.95 * noise + 0.05 * shock.abs() * 1.25).max(0.2);
        log += 0.001 * noise * shock - 1e-5 * log;
        let (open, close) = (last, whole(100.0 * log.exp(), f64::round));
        let wick = 0.0004 * noise * reach.abs();
        let high = whole(open.max(close) * (1.0 + wick), f64::ceil);
        let low = whole(open.min(close) * (1.0 - wick), f64::floor);
        let event_at = Timestamp::from_seconds(FROM + i.cast_signed() * SECONDS);
        writer.push(Bar {
            symbol: "MADE".to_owned(),
            event_at,
            available_at: event_at.plus_seconds(SECONDS),
            open: Some(open),
            high: Some(high),
            low: Some(low),
            close,
            volume: Some(volume as f64),
        })?;
        last = close;
    }
    writer.finish()?;
    Ok(())
}
