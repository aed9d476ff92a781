//! `gridtap learn`: from captures, or from live traffic, to a profile.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Exit;
use super::exit::{complain, present};
use super::learn_live;
use super::replay::{report_trouble, same_file};
use super::written::{can_put, put, read_old};
use crate::capture::file::open_files;
use crate::capture::{FrameSource, Next};
use crate::learn::{Learned, Learner};
use crate::pipeline::{Pipeline, PipelineOptions};
use crate::score::labels::Marked;

/// Arguments of `gridtap learn`.
#[derive(clap::Args)]
pub(super) struct LearnArguments {
    /// Captures of ordinary days: pcap or pcapng, also .gz and .zst. Several are merged by time
    #[arg(required_unless_present = "live", conflicts_with = "live", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Learn from what is seen now, until Ctrl-C or the end of --for, and never send
    #[arg(long)]
    pub(super) live: bool,
    /// With --live: an interface to listen on; several may be given
    #[arg(short, long = "interface", requires = "live", value_name = "NAME")]
    pub(super) interfaces: Vec<String>,
    /// With --live: the configuration of the sensor, whose interfaces, ports and limits are taken
    #[arg(long, requires = "live", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// How long to listen: "30 min", 12h, 7d; left out: until Ctrl-C
    #[arg(long = "for", requires = "live", value_name = "TIME", value_parser = time)]
    pub(super) time: Option<Duration>,
    /// Where to write the profile; `-` is standard output
    #[arg(short, long, value_name = "FILE|-")]
    output: PathBuf,
    /// Name of the profile; left out: of the first capture, or interface
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Add to this profile what it does not allow yet; all that stands in it stays as it is
    #[arg(long, value_name = "FILE")]
    merge: Option<PathBuf>,
    /// IEC 104: octets of cause, common and object address, as 1,1,2; else found out
    #[arg(long, value_name = "SIZES", value_parser = super::field_sizes)]
    pub(super) iec104_sizes: Option<parsers::FieldSizes>,
    /// Leave out the frames that this label file marks (lines `frame;1`). For one capture only
    #[arg(long, value_name = "FILE", conflicts_with = "live")]
    labels: Option<PathBuf>,
}

/// `7d`, `30 min`.
fn time(text: &str) -> Result<Duration, String> {
    let time = profiles::duration(text).filter(|ns| *ns > 0).map(Duration::from_nanos);
    time.ok_or_else(|| "write a number and a unit: \"30 min\", 12h, 7d".to_owned())
}

pub(super) fn learn(arguments: &LearnArguments) -> Exit {
    if arguments.labels.is_some() && arguments.files.len() > 1 {
        return Exit::Usage("--labels number the frames of one capture; give one capture".into());
    }
    if let Some(Err(missing)) = arguments.labels.as_deref().map(|labels| present("--labels", labels)) {
        return missing;
    }
    let inputs = arguments.files.iter().chain(&arguments.labels);
    if let Some(input) = inputs.into_iter().find(|input| same_file(&arguments.output, input)) {
        return Exit::Usage(format!(
            "-o {} would overwrite the input {}; write the profile to another file",
            arguments.output.display(),
            input.display()
        ));
    }
    // What can go wrong with the old profile must not do so after a week of listening.
    if let Some(Err(diagnostics)) = arguments.merge.as_deref().map(profiles::load) {
        return Exit::Usage(diagnostics.to_string());
    }
    if let Err(exit) = can_put(&arguments.output) {
        return exit;
    }
    let seen = if arguments.live { learn_live::listen(arguments) } else { read(arguments) };
    match seen {
        Ok(seen) => write_profile(arguments, seen),
        Err(exit) => exit,
    }
}

/// What was seen, and where.
pub(super) struct Seen {
    pub(super) learner: Learner,
    pub(super) packets: u64,
    /// Captures, or interfaces.
    pub(super) sources: Vec<String>,
    /// What an engineer should know of it.
    pub(super) remarks: Vec<String>,
    /// Files that were damaged.
    pub(super) damaged: usize,
}

fn read(arguments: &LearnArguments) -> Result<Seen, Exit> {
    let marked = arguments.labels.as_deref().map(Marked::read).transpose().map_err(Exit::Usage)?;
    let marked = marked.unwrap_or_default();
    let mut source = open_files(&arguments.files).map_err(Exit::failed)?;
    let learner = Learner::reading(arguments.iec104_sizes);
    let mut pipeline = Pipeline::new(&PipelineOptions::default(), learner);
    loop {
        match source.next() {
            Ok(Next::Frame(frame)) if marked.contains(frame.place.number) => {}
            Ok(Next::Frame(frame)) => pipeline.frame(&frame),
            Ok(Next::Idle(now)) => pipeline.idle(now),
            Ok(Next::End) => break,
            Err(error) => return Err(Exit::failed(error)),
        }
    }
    pipeline.finish();
    let damaged = report_trouble(&mut source);
    let packets = pipeline.counters().frames;
    let sources = arguments.files.iter().map(|file| file_name(file)).collect();
    Ok(Seen { learner: pipeline.into_consumer(), packets, sources, remarks: Vec::new(), damaged })
}

fn write_profile(arguments: &LearnArguments, seen: Seen) -> Exit {
    let first = seen.sources.first().map(String::as_str).unwrap_or_default();
    let name = arguments.name.clone().unwrap_or_else(|| stem(first));
    let mut learned = Learned::new(&seen.learner, name, seen.sources, seen.packets);
    learned.remarks.extend(seen.remarks);
    let learned_text = learned.to_toml();
    tell(&learned);
    let nothing = learned.is_empty();
    let (text, said) = match arguments.merge.as_deref().map(|old| merged(learned, old)) {
        None => (learned_text, "written".to_owned()),
        Some(Ok(merged)) => merged,
        Some(Err(exit)) => return exit,
    };
    finish(arguments, &text, &said, nothing, seen.damaged)
}

/// Names of what a merge added that are told.
const NAMED: usize = 20;

/// What was learned, added to an old profile.
fn merged(learned: Learned, old: &Path) -> Result<(String, String), Exit> {
    let (text, profile) = read_old(old)?;
    let merged = learned.merge_into(&text, profile.profile());
    let mut said = format!("{} known already, {} added", merged.known, merged.added);
    let more = merged.names.len().saturating_sub(NAMED);
    let named: Vec<_> = merged.names.into_iter().take(NAMED).collect();
    if !named.is_empty() {
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        said = format!("{said} ({}{more})", named.join(", "));
    }
    if merged.denied > 0 {
        said = format!("{said}, {} denied by the profile and listed at its end", merged.denied);
    }
    Ok((merged.text, said))
}

fn finish(arguments: &LearnArguments, text: &str, said: &str, nothing: bool, damaged: usize) -> Exit {
    if let Err(exit) = put(&arguments.output, text, "what was learned") {
        return exit;
    }
    let output = arguments.output.display();
    if nothing {
        complain(format_args!("{output}: {said}, but it allows nothing more than before"));
        return if damaged > 0 { Exit::Damaged } else { Exit::Nothing };
    }
    complain(format_args!("{output}: {said}; review it"));
    if damaged > 0 { Exit::Damaged } else { Exit::Done }
}

fn tell(learned: &Learned) {
    for remark in &learned.remarks {
        complain(format_args!("caution: {remark}"));
    }
    let left = learned.left_out();
    if !left.is_empty() {
        complain("Suspicious, and therefore not learned:");
        for line in &left {
            complain(format_args!("  - {line}"));
        }
    }
    if learned.is_empty() {
        complain(if left.is_empty() {
            "Nothing was learned: no operation that succeeds was seen of Modbus, DNP3 or IEC 104, and no publisher of \
             GOOSE."
        } else {
            "Nothing was learned: what was seen is suspicious."
        });
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

fn stem(name: &str) -> String {
    let stem = name.split('.').next().unwrap_or_default();
    if stem.trim().is_empty() { "learned".to_owned() } else { stem.to_owned() }
}
