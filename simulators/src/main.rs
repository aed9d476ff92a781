//! `gridtap-sim`: stations, masters and captures from the command line.

use std::fs::File;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use simulators::attack;
use simulators::scenario::{ClockTime, Diagnostics, Scenario, Span};
use simulators::site::{self, Format};
use simulators::wire::{ByteOrder, LINKTYPE_ETHERNET, Resolution, TimedFrame, pcap};
use simulators::{captures, live, sockets, vectors};

/// Shown below the help.
const AFTER: &str = "\
Exit status:
  0  done
  1  could not be done (a file cannot be written, a port is taken)
  2  the usage, the scenario or its attacks are wrong

Examples:
  gridtap-sim capture simulators/scenarios/lab.toml --for 2h -o lab.pcapng --labels lab.jsonl
  gridtap-sim run simulators/scenarios/lab.toml --modbus-port 1502 --for \"10 min\"

docs/scenarios.md tells how to write a scenario, docs/simulators.md which are there.";

/// Traffic for testing gridtap: whole sites, live or as captures, with attackers if asked for.
///
/// This program SENDS traffic. Use it in a laboratory, never on a network that controls something.
#[derive(Debug, Parser)]
#[command(version, about, after_help = AFTER)]
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
    /// Run a site in real time over real sockets: stations, masters, operators and attackers.
    Run(RunArguments),
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
    #[arg(long = "for", value_name = "TIME", default_value = "1h", value_parser = some_time)]
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

#[derive(Debug, clap::Args)]
struct RunArguments {
    /// The site, such as simulators/scenarios/lab.toml.
    #[arg(value_name = "SCENARIO")]
    scenario: PathBuf,
    /// Everything random depends on it, but for what the kernel and the clock add.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Ends after this time, such as "10 min"; without it on Ctrl-C.
    #[arg(long = "for", value_name = "TIME", value_parser = some_time)]
    length: Option<Span>,
    /// Attacks; without it benign traffic only.
    #[arg(long, value_name = "FILE")]
    attacks: Option<PathBuf>,
    /// Where to write what is true about the attacks, as JSON lines, at the end.
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Time of day at which the scenario's clock begins, such as "08:55:00"; operators act by it.
    #[arg(long, value_name = "HH:MM")]
    begin: Option<ClockTime>,
    /// Give every host a network of its own, with a mirror port of this name for a sensor. Without it the
    /// hosts are on the loopback, 10.1.2.3 as 127.1.2.3. Needs root.
    #[arg(long, value_name = "NAME", value_parser = mirror_name)]
    netns: Option<String>,
    /// Run one part of the site; the other is elsewhere.
    #[arg(long, value_enum)]
    only: Option<Only>,
    /// Interface on which GOOSE publishers send, such as one end of a veth pair. Without it they send on the switch
    /// of --netns, and are silent on the loopback. Needs root.
    #[arg(long, value_name = "NAME")]
    goose: Option<String>,
    /// Port of Modbus stations; below 1024 it needs privileges.
    #[arg(long, value_name = "PORT", default_value_t = 502)]
    modbus_port: u16,
    /// Port of DNP3 stations.
    #[arg(long, value_name = "PORT", default_value_t = 20_000)]
    dnp3_port: u16,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Only {
    Stations,
    Masters,
}

/// A length of time that is not nothing.
fn some_time(text: &str) -> Result<Span, String> {
    let span: Span = text.parse()?;
    if span.ns() > 0 { Ok(span) } else { Err("more than nothing is needed".to_owned()) }
}

/// A name for an interface, short enough for the kernel.
fn mirror_name(text: &str) -> Result<String, String> {
    let fits = (1..=15).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if fits { Ok(text.to_owned()) } else { Err("1 to 15 letters, digits and dashes are needed".to_owned()) }
}

fn main() -> ExitCode {
    let result: Result<(), Failure> = match Arguments::parse().command {
        Command::Station { listen, seconds } => live::station(listen, Duration::from_secs(seconds))
            .map_err(|e| io::Error::other(format!("{listen}: {e}")).into()),
        Command::Master { connect, seconds, seed } => {
            live::master(connect, Duration::from_secs(seconds), seed)
                .map(|count| println!("{count} operations"))
                .map_err(|e| io::Error::other(format!("{connect}: {e}")).into())
        }
        Command::Capture(arguments) => write_capture(&arguments),
        Command::Run(arguments) => run_site(&arguments),
        Command::Captures { out } => {
            write_captures(&out).map_err(|e| io::Error::other(format!("{}: {e}", out.display())).into())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Wrong(errors)) => {
            eprintln!("{errors}");
            ExitCode::from(2)
        }
        Err(Failure::Failed(error)) => {
            eprintln!("gridtap-sim: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Why a command could not be done.
enum Failure {
    /// A scenario or an attack file is wrong.
    Wrong(Diagnostics),
    /// Anything else.
    Failed(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Failed(error)
    }
}

impl From<Diagnostics> for Failure {
    fn from(errors: Diagnostics) -> Failure {
        Failure::Wrong(errors)
    }
}

/// Open a file to write to, before any work is done for it. None of `inputs` may be overwritten.
fn create(path: &Path, inputs: &[&Path]) -> io::Result<File> {
    let told = |what: String| io::Error::other(format!("{}: {what}", path.display()));
    if let Ok(real) = path.canonicalize()
        && inputs.iter().any(|input| input.canonicalize().is_ok_and(|input| input == real))
    {
        return Err(told("is read from, or written already; name another file".to_owned()));
    }
    File::create(path).map_err(|e| told(format!("cannot be written: {e}")))
}

fn write_captures(out: &Path) -> io::Result<()> {
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

fn write_capture(arguments: &CaptureArguments) -> Result<(), Failure> {
    let scenario = Scenario::load(&arguments.scenario)?;
    let beside = arguments.scenario.with_extension("attacks.toml");
    let attacks = match &arguments.attacks {
        _ if arguments.no_attacks => Vec::new(),
        Some(file) => attack::load(file, &scenario)?,
        None if beside.exists() => attack::load(&beside, &scenario)?,
        None => Vec::new(),
    };
    let pcap = arguments.out.extension().is_some_and(|e| e == "pcap");
    let format = if pcap { Format::Pcap } else { Format::Pcapng };
    let attack_file = arguments.attacks.as_ref().unwrap_or(&beside);
    let out = create(&arguments.out, &[&arguments.scenario, attack_file])?;
    let inputs = [arguments.scenario.as_path(), attack_file, &arguments.out];
    let labels = arguments.labels.as_ref().map(|file| create(file, &inputs)).transpose()?;
    let begun = std::time::Instant::now();
    let length = Duration::from_nanos(arguments.length.ns());
    let summary = site::write(&scenario, &attacks, arguments.seed, length, format, Box::new(out))
        .map_err(|e| io::Error::other(format!("{}: {e}", arguments.out.display())))?;
    let seconds = begun.elapsed().as_secs_f64();
    if let Some(mut file) = labels {
        file.write_all(attack::to_lines(&summary.labels).as_bytes())?;
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

fn run_site(arguments: &RunArguments) -> Result<(), Failure> {
    let mut scenario = Scenario::load(&arguments.scenario)?;
    let part = match arguments.only {
        None => sockets::Part::All,
        Some(Only::Stations) => sockets::Part::Stations,
        Some(Only::Masters) => sockets::Part::Masters,
    };
    part.cut(&mut scenario);
    if let Some(begin) = arguments.begin {
        scenario.site.begin_at(begin);
    }
    let attacks = arguments.attacks.as_ref().map_or(Ok(Vec::new()), |file| attack::load(file, &scenario));
    let (mut attacks, left_out) =
        sockets::over_sockets(attacks?, arguments.netns.is_some(), arguments.goose.is_some());
    for attack in &left_out {
        eprintln!(
            "gridtap-sim: {} is left out: it needs frames of its own making; give the hosts networks with --netns, or use `capture`",
            attack.behaviour.name()
        );
    }
    if arguments.netns.is_none() {
        sockets::onto_loopback(&mut scenario, &mut attacks).map_err(io::Error::other)?;
    }
    let ports = sockets::Ports { modbus: arguments.modbus_port, dnp3: arguments.dnp3_port };
    ports.set(&mut scenario, &mut attacks);
    let namespaces = match &arguments.netns {
        Some(name) => Some(sockets::Namespaces::new(&scenario, &attacks, name)?),
        None => None,
    };
    let length = arguments.length.map(|length| Duration::from_nanos(length.ns()));
    let mut inputs = vec![arguments.scenario.as_path()];
    inputs.extend(arguments.attacks.as_deref());
    let labels = arguments.labels.as_ref().map(|file| create(file, &inputs)).transpose()?;
    let goose = arguments.goose.clone();
    let options = sockets::Options { seed: arguments.seed, length, namespaces, part, goose };
    let ready = |places: &[std::net::SocketAddrV4]| {
        for (name, station) in &scenario.stations {
            let at = if part == sockets::Part::Masters { "is asked at" } else { "listens on" };
            println!("{name} {at} {}:{}", station.address, station.service_port());
        }
        println!(
            "{} stations on {} sockets, {} masters",
            scenario.stations.len(),
            places.len(),
            scenario.masters.len()
        );
        match &arguments.netns {
            Some(name) => println!("a sensor may listen on {name}; ends on Ctrl-C"),
            None => println!("a sensor may listen on lo; ends on Ctrl-C"),
        }
    };
    let summary = sockets::run(&scenario, &attacks, &options, ready, stopped())?;
    if let Some(mut file) = labels {
        file.write_all(attack::to_lines(&summary.labels).as_bytes())?;
    }
    for trouble in &summary.troubles {
        eprintln!("gridtap-sim: {trouble}");
    }
    println!(
        "{} connections, {} messages sent, {} answers of Modbus stations, {} labels",
        summary.connections,
        summary.messages,
        summary.answers,
        summary.labels.len()
    );
    Ok(())
}

/// Ctrl-C or SIGTERM.
async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
