//! The power flow on a grid small enough to work out by hand.

use super::*;
use crate::scenario::Scenario;

const GRID: &str = r#"
[site]
name = "test"
start = "2026-06-15T12:00:00Z"
[buses]
HV = { kv = 110 }
MV = { kv = 20 }
A = { kv = 20 }
B = { kv = 20 }
[transformers]
T1 = { from = "HV", to = "MV" }
[lines]
LA = { from = "MV", to = "A" }
LB = { from = "A", to = "B" }
TIE = { from = "MV", to = "B" }
[generators]
G = { bus = "HV", kind = "grid" }
[loads]
DA = { bus = "A", mw = 4, curve = "flat", noise_percent = 0 }
DB = { bus = "B", mw = 2, curve = "flat", noise_percent = 0 }
[breakers]
CB-A = { in = "LA" }
CB-B = { in = "LB" }
CB-T = { in = "TIE", open = true }
"#;

fn grid() -> Grid {
    Grid::new(&Scenario::parse(GRID, "test").expect("it is right"), 1)
}

fn near(value: f64, expected: f64, within: f64) {
    assert!((value - expected).abs() < within, "{value}, expected {expected}");
}

fn active(grid: &Grid, name: &str) -> f64 {
    grid.value(Quantity::Active(grid.branch(name).expect("a branch")))
}

fn voltage(grid: &Grid, name: &str) -> f64 {
    grid.value(Quantity::Voltage(grid.bus(name).expect("a bus")))
}

fn switch(grid: &mut Grid, name: &str, closed: bool) {
    let breaker = grid.breaker(name).expect("a breaker");
    assert!(grid.apply(Control::Breaker(breaker, closed)), "{name} moves");
}

#[test]
fn in_a_radial_grid_every_branch_carries_what_is_behind_it() {
    let grid = grid();
    near(active(&grid, "LA"), 6000.0, 0.01);
    near(active(&grid, "LB"), 2000.0, 0.01);
    near(active(&grid, "T1"), 6000.0, 0.01);
    near(active(&grid, "TIE"), 0.0, 0.01);
    near(grid.value(Quantity::Generation(0)), 6000.0, 0.01);
}

#[test]
fn an_open_breaker_stops_the_flow_and_what_is_behind_is_dead() {
    let mut grid = grid();
    switch(&mut grid, "CB-B", false);
    near(active(&grid, "LB"), 0.0, 1e-9);
    near(active(&grid, "LA"), 4000.0, 0.01);
    near(voltage(&grid, "B"), 0.0, 1e-9);
    assert!(voltage(&grid, "A") > 19.0);
    near(grid.value(Quantity::Energised(grid.bus("B").expect("a bus"))), 0.0, 1e-9);
    near(grid.value(Quantity::Operations(grid.breaker("CB-B").expect("a breaker"))), 1.0, 1e-9);
}

#[test]
fn closing_the_tie_feeds_the_dead_part_from_the_other_side() {
    let mut grid = grid();
    switch(&mut grid, "CB-A", false);
    near(active(&grid, "T1"), 0.0, 1e-9);
    switch(&mut grid, "CB-T", true);
    near(active(&grid, "TIE"), 6000.0, 0.01);
    near(active(&grid, "LB"), -4000.0, 0.01);
    assert!(voltage(&grid, "A") > 19.0);
}

#[test]
fn a_closed_ring_shares_the_flow_by_its_reactances() {
    let mut grid = grid();
    switch(&mut grid, "CB-T", true);
    // Three equal branches in a ring, 4 MW at A and 2 MW at B.
    near(active(&grid, "LA"), (2.0 * 4000.0 + 2000.0) / 3.0, 0.01);
    near(active(&grid, "TIE"), (4000.0 + 2.0 * 2000.0) / 3.0, 0.01);
}

#[test]
fn voltages_fall_along_a_loaded_feeder_and_a_tap_raises_them() {
    let mut grid = grid();
    let before = ["MV", "A", "B"].map(|bus| voltage(&grid, bus));
    assert!(before[0] < 20.0 && before[1] < before[0] && before[2] < before[1], "{before:?}");
    let transformer = grid.branch("T1").expect("a transformer");
    assert!(grid.apply(Control::Step(transformer, 2)));
    near(voltage(&grid, "A"), before[1] + 20.0 * 0.025, 1e-9);
    assert!(!grid.apply(Control::Breaker(0, true)), "a closed breaker does not close");
}

#[test]
fn energy_counts_with_time() {
    let mut grid = grid();
    let line = grid.branch("LA").expect("a line");
    let before = grid.value(Quantity::Energy(line));
    grid.advance(grid.now_ns + 1_800_000_000_000);
    near(grid.value(Quantity::Energy(line)) - before, 3000.0, 0.01);
}
