//! `gridtap-sim`: stations, masters and captures from the command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};
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
    /// Write every generated capture as a pcap file.
    Captures {
        /// Directory to write to; made if missing.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

fn main() -> std::process::ExitCode {
    let result = match Arguments::parse().command {
        Command::Station { listen, seconds } => live::station(listen, Duration::from_secs(seconds)),
        Command::Master { connect, seconds, seed } => {
            live::master(connect, Duration::from_secs(seconds), seed)
                .map(|count| println!("{count} operations"))
        }
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
    for (name, vectors, port) in
        [("vectors_modbus", vectors::modbus::all(), 502), ("vectors_dnp3", vectors::dnp3::all(), 20000)]
    {
        let frames: Vec<TimedFrame> = vectors::frames(&vectors, port).into_iter().map(|f| f.frame).collect();
        write(name, LINKTYPE_ETHERNET, &frames)?;
    }
    Ok(())
}
