//! `gridtap learn`: from captures to a profile.

use std::path::{Path, PathBuf};

use super::Exit;
use super::exit::{complain, say};
use super::replay::{report_trouble, same_file};
use crate::capture::file::open_files;
use crate::capture::{FrameSource, Next};
use crate::learn::{Learned, Learner};
use crate::pipeline::{Pipeline, PipelineOptions};
use crate::score::labels::Marked;

/// Arguments of `gridtap learn`.
#[derive(clap::Args)]
pub(super) struct LearnArguments {
    /// Captures of ordinary days: pcap or pcapng, also .gz and .zst. Several are merged by time
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where to write the profile; `-` is standard output
    #[arg(short, long, value_name = "FILE|-")]
    output: PathBuf,
    /// Name of the profile; left out: of the first capture
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Add to this profile what it does not allow yet; all that stands in it stays as it is
    #[arg(long, value_name = "FILE")]
    merge: Option<PathBuf>,
    /// Leave out the frames that this label file marks (lines `frame;1`). For one capture only
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
}

pub(super) fn learn(arguments: &LearnArguments) -> Exit {
    if arguments.labels.is_some() && arguments.files.len() > 1 {
        return Exit::Usage("--labels number the frames of one capture; give one capture".into());
    }
    let inputs = arguments.files.iter().chain(&arguments.labels);
    if let Some(input) = inputs.into_iter().find(|input| same_file(&arguments.output, input)) {
        return Exit::Usage(format!(
            "-o {} would overwrite the input {}; write the profile to another file",
            arguments.output.display(),
            input.display()
        ));
    }
    let marked = match arguments.labels.as_deref().map(Marked::read).transpose() {
        Ok(marked) => marked.unwrap_or_default(),
        Err(error) => return Exit::Usage(error),
    };
    let mut source = match open_files(&arguments.files) {
        Ok(source) => source,
        Err(error) => return Exit::failed(error),
    };
    let mut pipeline = Pipeline::new(&PipelineOptions::default(), Learner::default());
    loop {
        match source.next() {
            Ok(Next::Frame(frame)) if marked.contains(frame.place.number) => {}
            Ok(Next::Frame(frame)) => pipeline.frame(&frame),
            Ok(Next::Idle(now)) => pipeline.idle(now),
            Ok(Next::End) => break,
            Err(error) => return Exit::failed(error),
        }
    }
    pipeline.finish();
    let damaged = report_trouble(&mut source);
    let packets = pipeline.counters().frames;
    let learner = pipeline.into_consumer();
    let name = arguments.name.clone().unwrap_or_else(|| stem(arguments.files.first()));
    let sources = arguments.files.iter().map(|file| file_name(file)).collect();
    let learned = Learned::new(&learner, name, sources, packets);
    let learned_text = learned.to_toml();
    tell(&learned);
    let (text, said) = match arguments.merge.as_deref().map(|old| merged(learned, old)) {
        None => return finish(arguments, &learned_text, "written", damaged),
        Some(Ok(merged)) => merged,
        Some(Err(exit)) => return exit,
    };
    finish(arguments, &text, &said, damaged)
}

/// What was learned, added to an old profile.
fn merged(learned: Learned, old: &Path) -> Result<(String, String), Exit> {
    let profile = profiles::load(old).map_err(|diagnostics| Exit::Usage(diagnostics.to_string()))?;
    let text = std::fs::read_to_string(old).map_err(|e| Exit::failed(format!("{}: {e}", old.display())))?;
    let merged = learned.merge_into(&text, profile.profile());
    let said = format!("{} known already, {} added", merged.known, merged.added);
    Ok((merged.text, said))
}

/// Write it, if it is sound. It is checked under another name beside its place, because it may include files
/// that lie there, and only then takes the place of what was there before.
fn finish(arguments: &LearnArguments, text: &str, said: &str, damaged: usize) -> Exit {
    if arguments.output == Path::new("-") {
        if let Err(exit) = say(text.trim_end()) {
            return exit;
        }
    } else {
        let mut beside = arguments.output.clone().into_os_string();
        beside.push(".new");
        let beside = PathBuf::from(beside);
        if let Err(exit) = write(&beside, text) {
            return exit;
        }
        if let Err(diagnostics) = profiles::load(&beside) {
            return Exit::Failed(format!(
                "what was learned makes no sound profile; it stands in {}:\n{diagnostics}",
                beside.display()
            ));
        }
        if let Err(error) = std::fs::rename(&beside, &arguments.output) {
            return Exit::failed(format!("{}: {error}", arguments.output.display()));
        }
    }
    complain(format_args!("{}: {said}; review it", arguments.output.display()));
    if damaged > 0 { Exit::Damaged } else { Exit::Done }
}

fn tell(learned: &Learned) {
    for remark in &learned.remarks {
        complain(format_args!("caution: {remark}"));
    }
    let left = learned.left_out();
    if !left.is_empty() {
        complain("Suspicious, and therefore not learned:");
        for line in left {
            complain(format_args!("  - {line}"));
        }
    }
    if learned.draft.grants.is_empty() {
        complain("Nothing was learned: no Modbus or DNP3 that succeeds was seen.");
    }
}

fn write(output: &Path, text: &str) -> Result<(), Exit> {
    std::fs::write(output, text).map_err(|e| Exit::failed(format!("{}: {e}", output.display())))
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

fn stem(path: Option<&PathBuf>) -> String {
    let name = path.map(|path| file_name(path)).unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    if stem.trim().is_empty() { "learned".to_owned() } else { stem.to_owned() }
}
