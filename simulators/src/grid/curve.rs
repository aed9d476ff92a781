//! The course of a day and noise, by tables and plain arithmetic: no library function whose last digit
//! differs from machine to machine.

use crate::scenario::Curve;
use crate::wire::Prng;

const DAY_NS: u64 = 86_400_000_000_000;

/// Share of the highest power at each full hour.
const RESIDENTIAL: [f64; 24] = [
    0.42, 0.38, 0.35, 0.34, 0.35, 0.42, 0.58, 0.72, 0.70, 0.62, 0.58, 0.60, 0.66, 0.62, 0.58, 0.60, 0.68,
    0.82, 0.95, 1.00, 0.96, 0.86, 0.70, 0.54,
];
const INDUSTRIAL: [f64; 24] = [
    0.30, 0.30, 0.30, 0.30, 0.32, 0.40, 0.62, 0.85, 0.96, 1.00, 0.98, 0.95, 0.82, 0.92, 0.98, 0.96, 0.85,
    0.62, 0.48, 0.42, 0.38, 0.35, 0.32, 0.30,
];
const SOLAR: [f64; 24] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.02, 0.10, 0.24, 0.42, 0.62, 0.80, 0.93, 1.00, 0.97, 0.88, 0.74, 0.56, 0.36,
    0.18, 0.06, 0.01, 0.0, 0.0, 0.0,
];

fn at(table: &[f64; 24], now_ns: u64) -> f64 {
    let hours = (now_ns % DAY_NS) as f64 / 3.6e12;
    let hour = hours as usize % 24;
    let share = hours - hours.floor();
    table[hour] * (1.0 - share) + table[(hour + 1) % 24] * share
}

/// Share of a load's highest power.
pub(super) fn load(curve: Curve, now_ns: u64) -> f64 {
    match curve {
        Curve::Residential => at(&RESIDENTIAL, now_ns),
        Curve::Industrial => at(&INDUSTRIAL, now_ns),
        Curve::Flat => 1.0,
    }
}

/// Share of the sun.
pub(super) fn solar(now_ns: u64) -> f64 {
    at(&SOLAR, now_ns)
}

/// Nearly normal noise of standard deviation 1 (the sum of twelve uniform numbers).
pub(super) fn gauss(prng: &mut Prng) -> f64 {
    let sum: u64 = (0..6).map(|_| prng.next_u64()).map(|n| (n >> 32) + (n & 0xffff_ffff)).sum();
    sum as f64 / 4_294_967_296.0 - 6.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sun_shines_at_noon_and_not_at_midnight_and_every_curve_stays_within_its_bounds() {
        let hour = DAY_NS / 24;
        assert!((solar(12 * hour) - 1.0).abs() < 1e-9);
        assert!(solar(0).abs() < 1e-9 && solar(23 * hour).abs() < 1e-9);
        assert!((load(Curve::Residential, 19 * hour) - 1.0).abs() < 1e-9);
        for minute in 0..1440 {
            let now = minute * DAY_NS / 1440;
            for value in [solar(now), load(Curve::Industrial, now), load(Curve::Residential, now)] {
                assert!((0.0..=1.0).contains(&value));
            }
        }
    }

    #[test]
    fn the_noise_has_no_mean_and_a_deviation_of_one() {
        let mut prng = Prng::new(1);
        let all: Vec<f64> = (0..10_000).map(|_| gauss(&mut prng)).collect();
        let mean = all.iter().sum::<f64>() / 10_000.0;
        let variance = all.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 10_000.0;
        assert!(mean.abs() < 0.05 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    }
}
