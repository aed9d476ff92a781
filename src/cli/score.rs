//! `gridtap score`: findings compared with labels.

use std::path::PathBuf;

use super::Exit;
use super::exit::{complain, give, present, say};
use crate::score::labels::{Marked, is_json_lines, read_json_lines};
use crate::score::{findings, score};

/// Arguments of `gridtap score`.
#[derive(clap::Args)]
pub(super) struct ScoreArguments {
    /// The event log of a replay (`gridtap replay --events`)
    #[arg(long, value_name = "FILE")]
    findings: PathBuf,
    /// What was an attack: JSON lines (from, to, technique, actor_ip, target_ip), or lines `frame;1`
    #[arg(long, value_name = "FILE")]
    labels: PathBuf,
    /// The capture that lines `frame;1` belong to
    #[arg(long, value_name = "FILE")]
    capture: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn compare(arguments: &ScoreArguments) -> Exit {
    match compared(arguments) {
        Ok((text, torn)) => {
            let done = if torn { Exit::Damaged } else { Exit::Done };
            if torn {
                complain(format_args!(
                    "{}: the last line is not whole and was left out; was the log still being written?",
                    arguments.findings.display()
                ));
            }
            let said = if arguments.json { give(text.trim_end()) } else { say(text.trim_end()) };
            said.err().unwrap_or(done)
        }
        Err(exit) => exit,
    }
}

fn compared(arguments: &ScoreArguments) -> Result<(String, bool), Exit> {
    present("--findings", &arguments.findings)?;
    present("--labels", &arguments.labels)?;
    arguments.capture.iter().try_for_each(|capture| present("--capture", capture))?;
    let attacks = if is_json_lines(&arguments.labels).map_err(Exit::Failed)? {
        read_json_lines(&arguments.labels)
    } else {
        let Some(capture) = &arguments.capture else {
            return Err(Exit::Usage(
                "labels of single frames need --capture, the capture they belong to".into(),
            ));
        };
        Marked::read(&arguments.labels).and_then(|marked| marked.attacks(capture))
    };
    let (said, torn) = findings::read(&arguments.findings).map_err(Exit::Failed)?;
    let score = score(&attacks.map_err(Exit::Failed)?, &said);
    let text =
        if arguments.json { serde_json::to_string(&score).map_err(Exit::failed)? } else { score.to_string() };
    Ok((text, torn))
}
