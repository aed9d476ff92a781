//! The command line: a file a subcommand.

mod bench;
#[cfg(feature = "demo")]
mod demo;
mod detections;
mod dissect;
mod exit;
mod explain;
mod import;
mod learn;
mod learn_live;
mod profile;
mod profile_test;
mod reload;
mod replay;
mod run;
mod score;
mod written;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use exit::Exit;

use crate::config::Operations;
use crate::dispatch::MAX_WORKERS;

const AFTER: &str = "\
Exit status:
  0  done
  1  could not be done (a file is missing, an interface cannot be opened)
  2  the usage, the configuration or the profile is wrong
  3  the input was damaged; it was read as far as possible
  4  learn: nothing was learned

Examples:
  gridtap replay station.pcapng                       what is in a capture, without a profile
  gridtap replay *.pcap --profile site.toml --events findings.jsonl
  gridtap dissect station.pcap --protocol dnp3 --json
  gridtap run --config gridtap.toml                   the sensor on a mirror port

GRIDTAP_LOG sets how much gridtap says of itself on standard error: error, warn, info, debug.";

const AFTER_RUN: &str = "\
Needs root or the capability CAP_NET_RAW (setcap cap_net_raw+ep gridtap). Ends on Ctrl-C or SIGTERM, with
a summary. The smallest configuration:

  [capture]
  interfaces = [\"eth1\"]

Then: curl http://127.0.0.1:9817/metrics, /healthz (alive), /readyz (capturing).";

/// Passive monitor for power-grid control networks: decodes Modbus, DNP3, IEC 104 and GOOSE, compares every operation with
/// a profile of what is allowed, and says what is not, with the packets that show it. It never sends.
#[derive(Parser)]
#[command(name = "gridtap", version, after_help = AFTER, max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Take capture files through the whole pipeline and sum up what they hold
    Replay(ReplayArguments),
    /// Watch interfaces: the sensor
    #[command(after_help = AFTER_RUN)]
    Run {
        /// The configuration; `gridtap config check` says what is wrong with it
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// A small simulated site that is attacked, and the sensor that watches it, on this machine alone
    #[cfg(feature = "demo")]
    Demo(demo::DemoArguments),
    /// Write a profile from captures of ordinary days; suspicious things are left out and listed
    Learn(learn::LearnArguments),
    /// Compare findings with labels of what was an attack: precision, recall, time to detect
    Score(score::ScoreArguments),
    /// Print every PDU of a capture, one JSON object a line
    Dissect(DissectArguments),
    /// List every kind of finding: id, severity, name, ATT&CK for ICS techniques
    Detections {
        /// One JSON array, with thresholds and advice
        #[arg(long, conflicts_with = "markdown")]
        json: bool,
        /// The content of docs/detections.md
        #[arg(long)]
        markdown: bool,
    },
    /// Measure what the full pipeline costs on a capture
    Bench(BenchArguments),
    /// Check profiles
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Check configurations
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(clap::Args)]
struct ReplayArguments {
    /// Captures: pcap or pcapng, also .gz and .zst; `-` is standard input. Several are merged by time
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What is allowed; without it only findings that need no profile are raised
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
    /// Write events as JSON lines to a file, or to standard output with `-`
    #[arg(long, value_name = "FILE|-")]
    events: Option<PathBuf>,
    /// Which operations go among the events
    #[arg(long, value_enum, default_value = "control")]
    operations: Operations,
    /// Print the summary as one JSON object
    #[arg(long)]
    json: bool,
    /// Verify IP, TCP and UDP checksums and leave out what fails
    #[arg(long)]
    verify_checksums: bool,
    /// Keep the same addresses in different VLANs apart
    #[arg(long)]
    vlan_in_flow_key: bool,
    /// Threads that share the work; what comes out is the same. Default: as many as processors, up to 4
    #[arg(long, value_name = "N", value_parser = workers)]
    workers: Option<usize>,
    /// Name of the sensor in the events
    #[arg(long, default_value = "gridtap", value_name = "NAME")]
    sensor: String,
}

fn field_sizes(text: &str) -> Result<parsers::FieldSizes, String> {
    let numbers: Option<Vec<i64>> = text.split(',').map(|number| number.trim().parse().ok()).collect();
    let numbers = numbers.and_then(|numbers| <[i64; 3]>::try_from(numbers).ok());
    numbers
        .and_then(parsers::FieldSizes::new)
        .ok_or_else(|| "three numbers: 1 or 2, 1 or 2, 1 to 3; IEC 104 has 2,2,3".to_owned())
}

#[derive(clap::Args)]
struct DissectArguments {
    /// The capture: pcap or pcapng, also .gz and .zst; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only this protocol
    #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(parsers::Protocol::ALL.map(parsers::Protocol::name)))]
    protocol: Option<String>,
    /// IEC 104: octets of cause, common and object address, as 1,1,2; else found out
    #[arg(long, value_name = "SIZES", value_parser = field_sizes)]
    iec104_sizes: Option<parsers::FieldSizes>,
    /// One JSON object a line (the only form there is so far)
    #[arg(long, required = true)]
    json: bool,
}

#[derive(clap::Args)]
struct BenchArguments {
    /// The capture
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Judge with this profile
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
}

#[derive(Subcommand)]
enum ProfileCommand {
    /// Read a profile and report every error in it
    Check {
        /// The profile
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Print the JSON Schema of profiles, for editors
    Schema,
    /// Say which operations a change of a profile allows or no longer allows
    Diff {
        /// The profile before
        #[arg(value_name = "OLD")]
        old: PathBuf,
        /// The profile after
        #[arg(value_name = "NEW")]
        new: PathBuf,
    },
    /// Write a profile from a description of a substation (SCL, IEC 61850-6): hosts and GOOSE publishers
    Import(import::ImportArguments),
    /// Say why a finding was raised: the nearest rule, and the smallest change that would allow it
    Explain(explain::ExplainArguments),
    /// Judge captures by a profile: exit status 1 if there are findings of medium severity or higher
    Test(profile_test::TestArguments),
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Read a configuration and report what is wrong with it
    Check {
        /// The configuration
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// A number of workers.
fn workers(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=MAX_WORKERS).contains(number));
    number.ok_or_else(|| format!("a number from 1 to {MAX_WORKERS} is needed"))
}

/// Parse the arguments and do what they say.
pub fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("GRIDTAP_LOG").unwrap_or_else(|_| "info".into()),
        )
        .init();
    let exit = match Arguments::parse().command {
        Command::Replay(arguments) => replay::replay(&arguments),
        Command::Run { config } => run::run(&config),
        #[cfg(feature = "demo")]
        Command::Demo(arguments) => demo::demo(&arguments),
        Command::Learn(arguments) => learn::learn(&arguments),
        Command::Score(arguments) => score::compare(&arguments),
        Command::Dissect(arguments) => dissect::dissect(&arguments),
        Command::Detections { json, markdown } => detections::list(match (json, markdown) {
            (true, _) => detections::Form::Json,
            (_, true) => detections::Form::Markdown,
            _ => detections::Form::Text,
        }),
        Command::Bench(arguments) => bench::bench(&arguments),
        Command::Profile(ProfileCommand::Check { file }) => profile::check(&file),
        Command::Profile(ProfileCommand::Schema) => {
            exit::give(profiles::json_schema().trim_end()).err().unwrap_or(Exit::Done)
        }
        Command::Profile(ProfileCommand::Diff { old, new }) => profile::diff(&old, &new),
        Command::Profile(ProfileCommand::Import(arguments)) => import::import(&arguments),
        Command::Profile(ProfileCommand::Explain(arguments)) => explain::run(&arguments),
        Command::Profile(ProfileCommand::Test(arguments)) => profile_test::test(&arguments),
        Command::Config(ConfigCommand::Check { file }) => run::check(&file),
    };
    exit.report()
}
