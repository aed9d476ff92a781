//! What a link or application header alone can get wrong, IEEE 1815 clauses 9.2 and 4.2.2.

use super::application::Fragment;
use super::function;
use super::link::{self, Header};
use crate::contract::{DefectKind, Observer, Transport};
use crate::scene::Scene;

/// DN-C03 to DN-C05, DN-C07, DN-C22.
pub(super) fn link(scene: &Scene<'_>, header: Header, observer: &mut dyn Observer) {
    let control = header.control;
    // Nearly all frames are plain unconfirmed user data between ordinary addresses.
    if control.0 & 0x7F == 0x44 && header.user_data() > 0 && ordinary(header) {
        return;
    }
    function_and_data(scene, header, observer);
    let mut say = |kind, check, expected, observed: core::fmt::Arguments<'_>| {
        scene.report(observer, (kind, check), format_args!("{expected}"), observed);
    };
    if let Some(due) = control.frame_count_due()
        && due != control.fcv_dfc()
    {
        say(
            DefectKind::ReservedBits,
            "DN-C04",
            "FCV as the function demands",
            format_args!("FCV {}", control.fcv_dfc()),
        );
    }
    if !control.primary() && control.frame_count() {
        say(DefectKind::ReservedBits, "DN-C04", "bit 5 of a secondary CONTROL clear", format_args!("set"));
    }
    if !control.primary() && !control.dir() && control.fcv_dfc() {
        say(
            DefectKind::Peculiar,
            "DN-C07",
            "an outstation that takes data",
            format_args!("DFC set: receive buffers full"),
        );
    }
    if control.primary() && control.function() == 3 && scene.flow.transport == Transport::Tcp {
        say(
            DefectKind::Peculiar,
            "DN-C22",
            "unconfirmed user data over TCP",
            format_args!("confirmed user data"),
        );
    }
    addresses(scene, header, observer);
}

fn ordinary(header: Header) -> bool {
    header.source < 0xFFF0 && header.destination < 0xFFF0
}

fn function_and_data(scene: &Scene<'_>, header: Header, observer: &mut dyn Observer) {
    let control = header.control;
    let mut say = |kind, check, expected, observed| {
        scene.report(
            observer,
            (kind, check),
            format_args!("{expected}"),
            format_args!("{observed} {}", control.function()),
        );
    };
    if control.function_name() == "unknown" {
        say(DefectKind::UnknownFunction, "DN-C04", "a link function of the standard", "function");
    } else if control.carries_user_data() && header.user_data() == 0 {
        say(DefectKind::Malformed, "DN-C03", "user data", "none with function");
    } else if !control.carries_user_data() && header.user_data() > 0 {
        say(DefectKind::Malformed, "DN-C03", "no user data", "some with function");
    }
}

fn addresses(scene: &Scene<'_>, header: Header, observer: &mut dyn Observer) {
    let Header { source, destination, .. } = header;
    let mut say = |expected, address: u16| {
        let kind = (DefectKind::FieldRange, "DN-C05");
        scene.report(observer, kind, format_args!("{expected}"), format_args!("{address:#06x}"));
    };
    if source >= 0xFFF0 {
        say("an individual source address", source);
    }
    if destination == link::SELF_ADDRESS {
        say("no self-address outside commissioning", destination);
    } else if link::is_reserved(destination) {
        say("no reserved destination address", destination);
    } else if link::is_broadcast(destination) && !header.control.dir() {
        say("no broadcast from an outstation", destination);
    }
}

/// DN-C09, DN-C10, DN-C16, DN-C17: everything an application header says by itself.
pub(super) fn application(scene: &Scene<'_>, fragment: &Fragment<'_>, observer: &mut dyn Observer) {
    let (control, code) = (fragment.control, fragment.function);
    let mut say = |kind, check, expected, observed| {
        scene.report(observer, (kind, check), format_args!("{expected}"), format_args!("{observed}"));
    };
    let from_master = scene.from_master == Some(true);
    if !function::is_defined(code) {
        let kind = (DefectKind::UnknownFunction, "DN-C10");
        scene.report(
            observer,
            kind,
            format_args!("a function of the standard"),
            format_args!("function {code}"),
        );
        return;
    }
    if function::is_response(code) {
        if from_master {
            say(DefectKind::RoleReversal, "DN-C10", "a request from a master", "a response");
        }
        if fragment.lacks_iin() {
            say(
                DefectKind::Malformed,
                "DN-C13",
                "two octets of internal indications",
                "the fragment ends before them",
            );
        }
        if fragment.iin.is_some_and(|[_, second]| second & 0xC0 != 0) {
            say(DefectKind::ReservedBits, "DN-C17", "IIN2.6 and IIN2.7 clear", "set");
        }
        if code == function::UNSOLICITED_RESPONSE && !(control.uns() && control.con()) {
            say(
                DefectKind::FieldRange,
                "DN-C16",
                "UNS and CON set in an unsolicited response",
                "one of them clear",
            );
        }
        if code == function::RESPONSE && control.uns() {
            say(DefectKind::FieldRange, "DN-C16", "UNS clear in a solicited response", "set");
        }
        return;
    }
    if !from_master {
        say(DefectKind::RoleReversal, "DN-C10", "a response from an outstation", "a request");
    }
    if !(control.fir() && control.fin()) {
        say(DefectKind::FieldRange, "DN-C09", "a request of one fragment", "FIR or FIN clear");
    }
    if control.uns() && code != function::CONFIRM {
        say(DefectKind::FieldRange, "DN-C09", "UNS clear in a request", "set");
    }
    if control.con() && !matches!(code, function::AUTHENTICATE_REQ | function::AUTH_REQ_NO_ACK) {
        say(DefectKind::FieldRange, "DN-C09", "CON clear in a request", "set");
    }
}
