//! What the benches share: the scale.

use std::env;

/// Opportunities of the sample book: `FIELDBOOK_BENCH_SCALE`, else 100,000.
pub(crate) fn scale() -> u64 {
    env::var("FIELDBOOK_BENCH_SCALE")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(100_000)
}
