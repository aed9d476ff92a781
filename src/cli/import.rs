//! `gridtap profile import`: from a description of a substation (SCL) to a profile.

use std::fs::File;
use std::path::{Path, PathBuf};

use profiles::Diagnostic;

use super::Exit;
use super::exit::complain;
use super::replay::same_file;
use super::written::{put, read_old};
use crate::scl::{Description, Draft, Trouble, places};

/// Arguments of `gridtap profile import`.
#[derive(clap::Args)]
pub(super) struct ImportArguments {
    /// The description: .scd of a substation; .cid, .iid or .icd of one device
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where to write the profile; `-` is standard output
    #[arg(short, long, value_name = "FILE|-")]
    output: PathBuf,
    /// Add to this profile what it does not have yet; all that stands in it stays as it is
    #[arg(long, value_name = "FILE")]
    merge: Option<PathBuf>,
}

pub(super) fn import(arguments: &ImportArguments) -> Exit {
    imported(arguments).err().unwrap_or(Exit::Done)
}

fn imported(arguments: &ImportArguments) -> Result<(), Exit> {
    let ImportArguments { file, output, merge } = arguments;
    if same_file(output, file) {
        return Err(Exit::Usage(format!(
            "-o {} would overwrite the description; write the profile to another file",
            output.display()
        )));
    }
    let old = merge.as_deref().map(read_old).transpose()?;
    let draft = read(file)?;
    if draft.is_empty() {
        return Err(Exit::Failed(format!(
            "{}: no IED of it has an IP address, and none publishes GOOSE: there is nothing to import",
            file.display()
        )));
    }
    let (text, said) = match old {
        None => {
            let (hosts, publishers) = draft.counts();
            (draft.to_toml(), format!("hosts: {hosts}, publishers: {publishers}; review it"))
        }
        Some((text, profile)) => {
            let merged = draft.merge_into(&text, profile.profile());
            for difference in &merged.differences {
                complain(format_args!("different: {difference}"));
            }
            let differ = merged.differences.len();
            let said = format!("{} known already, {} added, {differ} different", merged.known, merged.added);
            (merged.text, said)
        }
    };
    put(output, &text, "what was imported")?;
    complain(format_args!("{}: {said}", output.display()));
    Ok(())
}

/// The description; what could not be used of it is told.
fn read(file: &Path) -> Result<Draft, Exit> {
    let name = file.display().to_string();
    let open = || File::open(file).map_err(|error| Exit::failed(format!("{name}: {error}")));
    if !std::fs::metadata(file).is_ok_and(|meta| meta.is_file()) {
        return Err(Exit::Usage(format!("{name}: the description is no regular file; name a file")));
    }
    let mut description = match Description::read(open()?) {
        Ok(description) => description,
        Err(trouble) => {
            let told = diagnostics(open()?, &name, &[trouble]);
            return Err(Exit::Usage(told.iter().map(ToString::to_string).collect()));
        }
    };
    let short = file.file_name().map_or_else(|| name.clone(), |short| short.to_string_lossy().into_owned());
    let draft = description.draft(&short);
    for mut warning in diagnostics(open()?, &name, &description.troubles) {
        warning.warning = true;
        complain(warning);
    }
    if description.further > 0 {
        complain(format_args!("{name}: {} more warnings are not shown", description.further));
    }
    Ok(draft)
}

/// What is wrong, at its place, in the order of the file.
fn diagnostics(file: File, name: &str, troubles: &[Trouble]) -> Vec<Diagnostic> {
    let mut troubles: Vec<&Trouble> = troubles.iter().collect();
    troubles.sort_by_key(|trouble| trouble.at);
    let octets: Vec<u64> = troubles.iter().filter_map(|trouble| trouble.at).collect();
    let mut places = places(file, &octets).into_iter();
    let told = |trouble: &Trouble| {
        let place = trouble.at.and_then(|_| places.next());
        let what = trouble.what.clone();
        let mut told = match place {
            Some(place) => Diagnostic::of_line(name, (place.line, place.column), &place.text, place.at, what),
            None => Diagnostic::of_file(name, what),
        };
        told.help(trouble.remedy);
        told
    };
    troubles.into_iter().map(told).collect()
}
