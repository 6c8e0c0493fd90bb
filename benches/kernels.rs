//! Kernels over a million values in chunks, each beside a hand-written loop over flat arrays.
//!
//! The layers measured are private to the library, so their sources are compiled in here.

#![allow(dead_code, unused_imports, unreachable_pub, missing_docs)]

#[path = "../src/column/mod.rs"]
mod column;
#[path = "../src/error.rs"]
mod error;
#[path = "../src/value/mod.rs"]
mod value;

use column::{Bitset, CHUNK_RECORDS, Comparison, Ints, Texts};
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::sync::Arc;

const RECORDS: usize = 1_000_000;

/// The same numbers on every run.
fn numbers(below: u32) -> Vec<u32> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as u32 % below
    };
    (0..RECORDS).map(next).collect()
}

fn chunks(values: &[u32]) -> Vec<Ints> {
    values
        .chunks(CHUNK_RECORDS)
        .map(|chunk| {
            Ints::pack(
                &chunk
                    .iter()
                    .map(|&n| Some(i64::from(n)))
                    .collect::<Vec<_>>(),
            )
        })
        .collect()
}

fn count(chunks: &[Ints], kernel: impl Fn(&Ints) -> Bitset) -> usize {
    chunks.iter().map(|chunk| kernel(chunk).count()).sum()
}

fn sums(c: &mut Criterion) {
    let values = numbers(60_000);
    let stored = chunks(&values);
    let full: Vec<Bitset> = stored
        .iter()
        .map(|chunk| Bitset::full(chunk.len()))
        .collect();
    let third: Vec<Bitset> = stored
        .iter()
        .map(|chunk| chunk.compare(Comparison::Less, 20_000))
        .collect();
    let flat: Vec<u16> = values.iter().map(|&n| n as u16).collect();
    let sum = |selections: &[Bitset]| -> i128 {
        let pairs = stored.iter().zip(selections);
        pairs.map(|(chunk, selection)| chunk.sum(selection).0).sum()
    };
    let mut group = c.benchmark_group("sum of u16");
    group.bench_function("chunks, all", |b| b.iter(|| sum(black_box(&full))));
    group.bench_function("chunks, a third", |b| b.iter(|| sum(black_box(&third))));
    group.bench_function("flat loop, all", |b| {
        b.iter(|| black_box(&flat).iter().map(|&n| u64::from(n)).sum::<u64>())
    });
    group.bench_function("flat loop, a third", |b| {
        b.iter(|| {
            let kept = |&n: &u16| if n < 20_000 { u64::from(n) } else { 0 };
            black_box(&flat).iter().map(kept).sum::<u64>()
        })
    });
    group.finish();
}

fn comparisons(c: &mut Criterion) {
    for (name, below, literal) in [
        ("u8", 200, 70),
        ("u16", 60_000, 20_000),
        ("u32", 1 << 30, 1 << 28),
    ] {
        let values = numbers(below);
        let stored = chunks(&values);
        let mut group = c.benchmark_group(format!("count where {name} < literal"));
        group.bench_function("chunks", |b| {
            b.iter(|| {
                count(&stored, |ints| {
                    ints.compare(Comparison::Less, black_box(literal))
                })
            })
        });
        let limit = literal as u32;
        match name {
            // Byte lanes overflow after 255 additions.
            "u8" => {
                let flat: Vec<u8> = values.iter().map(|&n| n as u8).collect();
                let limit = black_box(limit as u8);
                group.bench_function("flat loop in byte lanes", |b| {
                    b.iter(|| {
                        let count = |run: &[u8]| {
                            let mut lanes = [0_u8; 32];
                            for values in run.chunks_exact(32) {
                                for (lane, &n) in lanes.iter_mut().zip(values) {
                                    *lane += u8::from(n < limit);
                                }
                            }
                            lanes.iter().map(|&n| usize::from(n)).sum::<usize>()
                        };
                        black_box(&flat).chunks(32 * 250).map(count).sum::<usize>()
                    })
                });
            }
            _ => {
                group.bench_function("flat loop over u32", |b| {
                    b.iter(|| black_box(&values).iter().filter(|&&n| n < limit).count())
                });
            }
        }
        group.finish();
    }
}

fn sets(c: &mut Criterion) {
    for (name, below, one_in) in [("50 territories", 50, 3), ("100k accounts", 100_000, 7)] {
        let values = numbers(below);
        let stored = chunks(&values);
        let set = Bitset::from_fn(below as usize, |at| at % one_in == 0);
        let flags: Vec<bool> = (0..below as usize).map(|at| at % one_in == 0).collect();
        let mut group = c.benchmark_group(format!("count where reference in {name}"));
        group.bench_function("chunks", |b| {
            b.iter(|| count(&stored, |ints| ints.in_bits(&set)))
        });
        group.bench_function("flat loop over u32", |b| {
            b.iter(|| {
                black_box(&values)
                    .iter()
                    .filter(|&&n| flags[n as usize])
                    .count()
            })
        });
        group.finish();
    }
}

fn texts(c: &mut Criterion) {
    let words = ["renewal", "expansion", "new business", "pilot", "services"];
    let few: Vec<&str> = numbers(5).iter().map(|&n| words[n as usize]).collect();
    let many: Vec<String> = numbers(90_000)
        .iter()
        .map(|&n| format!("{} {n}", words[n as usize % 5]))
        .collect();
    let dictionary: Vec<Texts> = few
        .chunks(CHUNK_RECORDS)
        .map(|chunk| {
            let mut entries = column::TextBlock::default();
            words.iter().for_each(|word| entries.push(word));
            let code = |text: &&str| words.iter().position(|word| word == text);
            let codes = chunk.iter().map(|text| code(text).unwrap_or(0) as u16);
            Texts::Dictionary {
                codes: Arc::new(codes.collect()),
                entries: Arc::new(entries),
            }
        })
        .collect();
    let plain: Vec<Texts> = many
        .chunks(CHUNK_RECORDS)
        .map(|chunk| Texts::from_options(chunk.iter().map(|text| Some(&**text))))
        .collect();
    let mut group = c.benchmark_group("count where text contains");
    let count = |chunks: &[Texts], needle: &str| -> usize {
        chunks
            .iter()
            .map(|chunk| chunk.contains(needle).count())
            .sum()
    };
    group.bench_function("chunks, dictionary", |b| {
        b.iter(|| count(&dictionary, black_box("ne")))
    });
    group.bench_function("chunks, plain", |b| {
        b.iter(|| count(&plain, black_box("pilot 77")))
    });
    let finder = memchr::memmem::Finder::new("pilot 77");
    group.bench_function("loop over strings", |b| {
        b.iter(|| {
            let found = |text: &&String| finder.find(text.as_bytes()).is_some();
            black_box(&many).iter().filter(found).count()
        })
    });
    group.finish();
}

criterion_group!(kernels, sums, comparisons, sets, texts);
criterion_main!(kernels);
