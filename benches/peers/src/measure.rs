//! Medians of runs that take turns, so that a noisy machine is noisy for all.

use crate::Result;
use std::time::{Duration, Instant};

/// One thing to be timed.
pub(crate) type Run<'a> = Box<dyn FnMut() -> Result<()> + 'a>;

/// The median time of each run. They take turns until each had `seconds`, at least three times,
/// after one turn that is not counted.
pub(crate) fn medians(runs: &mut [Run<'_>], seconds: f64) -> Result<Vec<f64>> {
    for run in runs.iter_mut() {
        run()?;
    }
    let mut times = vec![Vec::new(); runs.len()];
    let mut spent = vec![Duration::ZERO; runs.len()];
    let budget = Duration::from_secs_f64(seconds);
    loop {
        let mut busy = false;
        for ((run, times), spent) in runs.iter_mut().zip(&mut times).zip(&mut spent) {
            if times.len() >= 3 && *spent >= budget {
                continue;
            }
            busy = true;
            let start = Instant::now();
            run()?;
            let time = start.elapsed();
            times.push(time);
            *spent += time;
        }
        if !busy {
            break;
        }
    }
    Ok(times
        .into_iter()
        .map(|times| quantile(times, 0.5))
        .collect())
}

/// The time below which that part of the times lies, in seconds.
pub(crate) fn quantile(mut times: Vec<Duration>, part: f64) -> f64 {
    times.sort_unstable();
    let last = times.len().saturating_sub(1);
    times
        .get((last as f64 * part) as usize)
        .map_or(0.0, Duration::as_secs_f64)
}

/// The mean time, in seconds.
pub(crate) fn mean(times: &[Duration]) -> f64 {
    times.iter().sum::<Duration>().as_secs_f64() / times.len().max(1) as f64
}

/// Ids that jump about in `0..count`, the same for all.
pub(crate) fn spread(count: i64) -> impl Iterator<Item = i64> {
    let step = (count * 618 / 1000) | 1;
    (0..).scan(0, move |at, _: i64| {
        *at = (*at + step) % count.max(1);
        Some(*at)
    })
}
