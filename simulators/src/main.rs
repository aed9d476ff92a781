//! `gridtap-sim`: stations, masters and captures from the command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};
use simulators::attack;
use simulators::scenario::{Scenario, ScenarioError, Span};
use simulators::site::{self, Format};
use simulators::wire::{ByteOrder, LINKTYPE_ETHERNET, Resolution, TimedFrame, pcap};
use simulators::{captures, live, vectors};

/// Traffic for testing gridtap: a Modbus station, a Modbus master, and captures made on the spot.
///
/// This program SENDS traffic. Use it in a laboratory, never on a network that controls something.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer Modbus/TCP requests: 200 coils, discrete inputs, input and holding registers from address 0.
    Station {
        /// Address and port to listen on, such as 127.0.0.1:1502.
        #[arg(long, value_name = "ADDR")]
        listen: SocketAddr,
        /// Stop after this many seconds.
        #[arg(long = "for", value_name = "SECONDS")]
        seconds: u64,
    },
    /// Poll and command a Modbus/TCP station; the sequence of operations depends on the seed alone.
    Master {
        /// Address and port of the station, such as 127.0.0.1:1502.
        #[arg(long, value_name = "ADDR")]
        connect: SocketAddr,
        /// Stop after this many seconds.
        #[arg(long = "for", value_name = "SECONDS")]
        seconds: u64,
        /// Seed of the sequence.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Write the traffic of a site into a capture, with the truth about its attacks beside it.
    Capture(CaptureArguments),
    /// Write every generated capture as a pcap file.
    Captures {
        /// Directory to write to; made if missing.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct CaptureArguments {
    /// The site, such as simulators/scenarios/feeders.toml.
    #[arg(value_name = "SCENARIO")]
    scenario: PathBuf,
    /// Everything random depends on it: the same seed gives the same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Simulated time, such as "24h" or "90 min".
    #[arg(long = "for", value_name = "TIME", default_value = "1h")]
    length: Span,
    /// Capture to write; pcap when the name ends so, pcapng otherwise.
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
    /// Where to write what is true about the attacks, as JSON lines.
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Attacks; SCENARIO.attacks.toml beside the scenario if it is there.
    #[arg(long, value_name = "FILE", conflicts_with = "no_attacks")]
    attacks: Option<PathBuf>,
    /// Benign traffic only.
    #[arg(long)]
    no_attacks: bool,
}

fn main() -> std::process::ExitCode {
    let result = match Arguments::parse().command {
        Command::Station { listen, seconds } => live::station(listen, Duration::from_secs(seconds)),
        Command::Master { connect, seconds, seed } => {
            live::master(connect, Duration::from_secs(seconds), seed)
                .map(|count| println!("{count} operations"))
        }
        Command::Capture(arguments) => write_capture(&arguments),
        Command::Captures { out } => write_captures(&out),
    };
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gridtap-sim: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn write_captures(out: &std::path::Path) -> std::io::Result<()> {
    std::fs::create_dir_all(out)?;
    let write = |name: &str, link_type, frames: &[TimedFrame]| {
        let bytes = pcap(frames, link_type, ByteOrder::Little, Resolution::Nano, 262_144);
        std::fs::write(out.join(format!("{name}.pcap")), bytes)
    };
    for scenario in captures::encapsulations().into_iter().chain(captures::blind_spots()) {
        write(scenario.name, scenario.link_type, &scenario.frames)?;
    }
    for (name, vectors, port) in [
        ("vectors_modbus", vectors::modbus::all(), 502),
        ("vectors_dnp3", vectors::dnp3::all(), 20000),
        ("vectors_iec104", vectors::iec104::all(), 2404),
    ] {
        let frames: Vec<TimedFrame> = vectors::frames(&vectors, port).into_iter().map(|f| f.frame).collect();
        write(name, LINKTYPE_ETHERNET, &frames)?;
    }
    write("vectors_goose", LINKTYPE_ETHERNET, &vectors::goose::frames(&vectors::goose::all()))?;
    Ok(())
}

fn write_capture(arguments: &CaptureArguments) -> std::io::Result<()> {
    let wrong = |e: ScenarioError| std::io::Error::other(e.to_string());
    let scenario = Scenario::load(&arguments.scenario).map_err(wrong)?;
    let beside = arguments.scenario.with_extension("attacks.toml");
    let attacks = match &arguments.attacks {
        _ if arguments.no_attacks => Vec::new(),
        Some(file) => attack::load(file, &scenario).map_err(wrong)?,
        None if beside.exists() => attack::load(&beside, &scenario).map_err(wrong)?,
        None => Vec::new(),
    };
    let pcap = arguments.out.extension().is_some_and(|e| e == "pcap");
    let format = if pcap { Format::Pcap } else { Format::Pcapng };
    let out = Box::new(std::fs::File::create(&arguments.out)?);
    let begun = std::time::Instant::now();
    let length = Duration::from_nanos(arguments.length.ns());
    let summary = site::write(&scenario, &attacks, arguments.seed, length, format, out)?;
    let seconds = begun.elapsed().as_secs_f64();
    if let Some(file) = &arguments.labels {
        std::fs::write(file, attack::to_lines(&summary.labels))?;
    }
    for attack in &summary.without_trace {
        eprintln!("gridtap-sim: the attack {attack} left no frame: too late, or nobody to attack");
    }
    println!(
        "{} frames and {} labels in {seconds:.1} s ({:.0} frames a second)",
        summary.frames,
        summary.labels.len(),
        summary.frames as f64 / seconds
    );
    Ok(())
}
