//! Cost of reading a number with its kind and country: below 2 µs is asked.
//!
//! `cargo bench -p service --bench numbering`. Numbers are of the ranges kept for fiction where there is one, and those of
//! directories' examples otherwise; the Caribbean is the worst case, because 25 countries share the code 1.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use service::numbering::{plan, warm_up};

fn reading(criterion: &mut Criterion) {
    warm_up();
    for (name, country_code, national) in [
        ("Great Britain, mobile", "44", "7911123456"),
        ("Germany, mobile", "49", "15123456789"),
        ("Germany, as dialled at home", "49", "015123456789"),
        ("Italy, fixed, with its zero", "39", "0612345678"),
        ("Brazil, mobile", "55", "11961234567"),
        ("India, mobile", "91", "8123456789"),
        ("United States", "1", "2015550123"),
        ("United States, toll-free", "1", "8002345678"),
        ("U.S. Virgin Islands", "1", "3406421234"),
    ] {
        assert!(plan(country_code, national).is_ok(), "{name}");
        criterion.bench_function(name, |b| {
            b.iter(|| plan(black_box(country_code), black_box(national)));
        });
    }
}

criterion_group!(benches, reading);
criterion_main!(benches);
