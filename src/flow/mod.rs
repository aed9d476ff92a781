//! Flows: who talks to whom, and TCP streams put in order.
//!
//! Third step of the way from wire to metric.
