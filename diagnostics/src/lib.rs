//! Errors in TOML files, told like a good compiler: where, what, and what to write instead. Profiles, the
//! configuration and scenarios speak of their errors through this crate, and in the same form.
//!
//! ```text
//! error: unknown key `adress` in host `scada-a`
//!   --> site.toml:6:1
//!    |
//!  6 | adress = "10.0.0.5"
//!    | ^^^^^^ did you mean `address`?
//!    = help: a host has the keys: address, comment
//! ```
//!
//! It knows nothing of protocols, so that the simulators can use it and still depend on no parser.

mod diagnostic;
mod nearest;
mod read;
mod reporter;
mod syntax;
mod text;

pub use diagnostic::{Diagnostic, Diagnostics};
pub use nearest::nearest;
pub use read::{read_text, type_name, utf8};
pub use reporter::{Quirks, Reporter};
pub use syntax::{report as report_syntax, report_at as report_syntax_at};
pub use text::{cut_lines, deceives, shown, shown_char, shown_lines};
