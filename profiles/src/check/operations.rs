//! Checks of operations: classes, functions by name, functions by number.

use parsers::{Action, Protocol};

use crate::file::At;
use crate::functions::{function_by_name, function_names};
use crate::profile::Allow;
use diagnostics::Reporter;

/// Check a list of operations. `protocols` are those that the stations concerned speak.
pub(super) fn operations(
    texts: &[At<String>],
    protocols: &[Protocol],
    reporter: &mut Reporter<'_>,
) -> Vec<Allow> {
    let mut operations = Vec::with_capacity(texts.len());
    for text in texts {
        match operation(text, protocols, reporter) {
            Some(one) if operations.contains(&one) => {
                reporter
                    .error(&text.span, format!("`{}` stands here twice", text.value))
                    .label("take it out");
            }
            Some(one) => operations.push(one),
            None => {}
        }
    }
    operations
}

fn operation(text: &At<String>, protocols: &[Protocol], reporter: &mut Reporter<'_>) -> Option<Allow> {
    let word = text.value.as_str();
    if let Some(action) = Action::from_name(word) {
        return Some(Allow::Action(action));
    }
    if let Some(number) = word.strip_prefix("fc:") {
        return function_number(text, number, protocols, reporter);
    }
    // With no sound station the protocol is not known: any function's name will do.
    let spoken = if protocols.is_empty() { &Protocol::ALL } else { protocols };
    for protocol in spoken {
        if let Some((code, sub)) = function_by_name(*protocol, word) {
            return Some(Allow::Function { protocol: *protocol, code, sub });
        }
    }
    if let Some(other) = Protocol::ALL.into_iter().find(|p| function_by_name(*p, word).is_some()) {
        let spoken = spoken.first().map_or("", |p| p.name());
        reporter
            .error(&text.span, format!("`{word}` is a function of {}", other.name()))
            .label(format!("the rule's stations speak {spoken}"));
        return None;
    }
    let actions = Action::ALL.iter().map(|a| a.name());
    let functions = spoken.iter().flat_map(|p| function_names(*p));
    let meant = reporter.meant(word, actions.clone().chain(functions));
    let error = reporter.error(&text.span, format!("unknown operation `{word}`"));
    if word.parse::<u16>().is_ok() {
        error.label(format!("for a function code write \"fc:{word}\""));
    } else if let Some(meant) = meant {
        error.label(format!("did you mean `{meant}`?"));
    }
    let classes = actions.collect::<Vec<_>>().join(", ");
    error.help(format!(
        "write a class of operations ({classes}), a function's name in the standard (write_single_coil, cold_restart) or its number (fc:16, fc:8/4)"
    ));
    None
}

/// `fc:16`, `fc:8/4`.
fn function_number(
    text: &At<String>,
    number: &str,
    protocols: &[Protocol],
    reporter: &mut Reporter<'_>,
) -> Option<Allow> {
    let (code, sub) = match number.split_once('/') {
        Some((code, sub)) => (code, Some(sub)),
        None => (number, None),
    };
    let sub_number = sub.map(str::parse::<u16>);
    let (Ok(code), None | Some(Ok(_))) = (code.parse::<u8>(), &sub_number) else {
        reporter
            .error(&text.span, format!("`{}` is no function number", text.value))
            .label("write fc:CODE (0 to 255) or fc:CODE/SUBFUNCTION (0 to 65535)");
        return None;
    };
    let sub = sub_number.and_then(Result::ok);
    match protocols {
        [] => None,
        [protocol] if !has_function(*protocol, code) => {
            let error = reporter.error(&text.span, format!("{} has no function {code}", protocol.name()));
            if let Some(d) = parsers::dissector(*protocol) {
                error.label(format!("function codes are {} to {}", d.codes.start(), d.codes.end()));
            }
            None
        }
        [protocol] if sub.is_some() && !has_subs(*protocol) => {
            reporter
                .error(&text.span, format!("{} functions have no sub-functions", protocol.name()))
                .label(format!("write \"fc:{code}\""));
            None
        }
        [protocol] => Some(Allow::Function { protocol: *protocol, code, sub }),
        _ => {
            reporter
                .error(&text.span, format!("`{}` means another function in each protocol", text.value))
                .label("the rule's stations speak more than one: use the function's name, or two rules");
            None
        }
    }
}

fn has_function(protocol: Protocol, code: u8) -> bool {
    parsers::dissector(protocol).is_none_or(|d| d.codes.contains(&code))
}

fn has_subs(protocol: Protocol) -> bool {
    parsers::dissector(protocol).is_none_or(|d| d.functions.iter().any(|row| row.1.is_some()))
}
