//! `gridtap learn --live`: listens for a while, under the same filter that refuses to send as the sensor.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::Exit;
use super::exit::complain;
use super::learn::{LearnArguments, Seen};
use super::run::live_options;
use crate::capture::live::{LiveSource, forbid_sending};
use crate::capture::{FrameSource, TroubleKind};
use crate::config::Config;
use crate::learn::Learner;
use crate::pipeline::{self, Pipeline, PipelineOptions};

static STOP: AtomicBool = AtomicBool::new(false);

extern "C" fn on_signal(_: libc::c_int) {
    STOP.store(true, Ordering::Relaxed);
}

/// Listen until somebody or the time ends it. What was seen by then is kept, whatever ends it.
pub(super) fn listen(arguments: &LearnArguments) -> Result<Seen, Exit> {
    // SAFETY: the handler only stores into an atomic, which is allowed in a signal handler.
    unsafe {
        let handler = on_signal as extern "C" fn(libc::c_int) as libc::sighandler_t;
        libc::signal(libc::SIGINT, handler);
        libc::signal(libc::SIGTERM, handler);
    }
    let config = arguments.config.as_deref().map(Config::load).transpose();
    let config = config.map_err(|errors| Exit::Usage(errors.to_string()))?;
    let mut options = config.as_ref().map(live_options).unwrap_or_default();
    if !arguments.interfaces.is_empty() {
        options.interfaces.clone_from(&arguments.interfaces);
    }
    let interfaces = options.interfaces.clone();
    if interfaces.is_empty() {
        return Err(Exit::Usage("--live listens on interfaces: name them with -i, or give --config".into()));
    }
    let pipeline = config.as_ref().map(Config::pipeline).unwrap_or_default();
    let source = LiveSource::open(&options).map_err(Exit::failed)?;
    let until = arguments.time.and_then(|time| Instant::now().checked_add(time));
    let span = arguments.time.map_or("Ctrl-C".to_owned(), |time| format!("Ctrl-C, or for {time:?}"));
    complain(format_args!("listening on {} until {span}", interfaces.join(", ")));
    let learner = Learner::reading(arguments.iec104_sizes);
    // A thread of its own, because the filter holds for all that a thread does later: this one writes the file.
    let listening = std::thread::Builder::new()
        .name("capture".to_owned())
        .spawn(move || capture(source, &pipeline, learner, until))
        .map_err(Exit::failed)?;
    let ended = listening.join().map_err(|_| Exit::failed("the capture thread ended unexpectedly"))?;
    let (learner, packets, remarks) = ended.map_err(Exit::failed)?;
    Ok(Seen { learner, packets, sources: interfaces, remarks, damaged: 0 })
}

type Listened = (Learner, u64, Vec<String>);

fn capture(
    mut source: LiveSource,
    options: &PipelineOptions,
    learner: Learner,
    until: Option<Instant>,
) -> Result<Listened, String> {
    forbid_sending().map_err(|error| format!("sending cannot be forbidden: {error}"))?;
    let mut pipeline = Pipeline::new(options, learner);
    let mut remarks = Vec::new();
    let result = pipeline::run(&mut source, &mut pipeline, |source, _| {
        for trouble in source.take_trouble() {
            if let TroubleKind::TapLost(reason) = &trouble.kind {
                let name = source.taps().get(usize::from(trouble.tap)).map_or("", String::as_str);
                complain(format_args!("caution: {name} gives nothing any more: {reason}"));
            }
        }
        !STOP.load(Ordering::Relaxed) && until.is_none_or(|until| Instant::now() < until)
    });
    source.read_counters();
    if let Err(error) = result {
        remarks.push(format!("listening ended early: {error}"));
    }
    let dropped: u64 = source.counters().iter().map(|tap| tap.drops.load(Ordering::Relaxed)).sum();
    if dropped > 0 {
        remarks.push(format!("the tap lost {dropped} packets: what was in them was not learned"));
    }
    let packets = pipeline.counters().frames;
    Ok((pipeline.into_consumer(), packets, remarks))
}
