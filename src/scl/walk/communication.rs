//! The section `Communication`: addresses of access points, and where control blocks are sent.

use std::net::IpAddr;

use parsers::MacAddr;

use super::elements::Tag;
use super::{Attributes, Walk, Wrong, cut};
use crate::scl::Sent;

/// Highest VLAN id.
const MAX_VLAN: u16 = 4094;

impl Walk {
    pub(super) fn gse(&mut self, a: &Attributes<'_>) -> Result<(), Wrong> {
        let key = (self.now.ied.clone(), self.keep(a.get("ldInst"))?, self.keep(a.get("cbName"))?);
        let access_point = self.keep(&self.now.access_point.clone())?;
        let sent = Sent { at: self.at, access_point, ..Sent::default() };
        if self.found.sent.insert(key.clone(), sent).is_some() {
            let what = format!("the control block `{}` of `{}` has two addresses", cut(&key.2), cut(&key.0));
            self.trouble(what, "the second one is taken");
        }
        self.now.sends.push(key.clone());
        self.now.gse = Some(key);
        Ok(())
    }

    /// The end of `<P>`.
    pub(super) fn parameter(&mut self, text: &str) -> Result<(), Wrong> {
        let parameter = std::mem::take(&mut self.now.parameter);
        // Empty ones stand for what is not set.
        if text.is_empty() {
            return Ok(());
        }
        if self.path.last() == Some(&Tag::GseAddress) {
            self.sent(&parameter, text)
        } else {
            self.own_address(&parameter, text)
        }
    }

    fn sent(&mut self, parameter: &str, text: &str) -> Result<(), Wrong> {
        let wrong = match parameter {
            "MAC-Address" => {
                let destination = mac(text);
                self.now_sent(|sent| sent.destination = destination);
                match destination {
                    None => Some((
                        "no Ethernet address",
                        "six octets are needed, as in 01-0C-CD-01-00-01; not judged",
                    )),
                    Some(mac) if mac.0[0] & 1 == 0 => Some((
                        "no multicast address",
                        "GOOSE goes to 01-0C-CD-01-00-00 and above; it is taken as it is",
                    )),
                    Some(_) => None,
                }
            }
            "APPID" => {
                let appid = hex(text);
                self.now_sent(|sent| sent.appid = appid);
                appid
                    .is_none()
                    .then_some(("no APPID", "up to four hexadecimal digits are needed; not judged"))
            }
            "VLAN-ID" => {
                let vlan = hex(text).filter(|id| *id <= MAX_VLAN);
                self.now_sent(|sent| sent.vlan = vlan);
                vlan.is_none()
                    .then_some(("no VLAN", "hexadecimal digits are needed, at most FFE; not judged"))
            }
            "VLAN-PRIORITY" => {
                let priority = self.keep(&cut(text))?;
                self.now_sent(|sent| sent.priority = priority);
                None
            }
            _ => None,
        };
        if let Some((what, remedy)) = wrong {
            self.trouble(format!("`{}` is {what}", cut(text)), remedy);
        }
        Ok(())
    }

    fn now_sent(&mut self, set: impl FnOnce(&mut Sent)) {
        if let Some(sent) = self.now.gse.as_ref().and_then(|key| self.found.sent.get_mut(key)) {
            set(sent);
        }
    }

    /// An address of the access point itself.
    fn own_address(&mut self, parameter: &str, text: &str) -> Result<(), Wrong> {
        match parameter {
            "IP" | "IPv6" => match text.parse::<IpAddr>() {
                // What tools write where none is set yet.
                Ok(ip) if ip.is_unspecified() => {}
                Ok(ip) => {
                    let (at, name) = (self.at, self.keep(&self.now.ied.clone())?);
                    self.found.ieds.entry(name).or_default().addresses.entry(ip).or_insert(at);
                }
                Err(_) => self.trouble(format!("`{}` is no IP address", cut(text)), "it is left out"),
            },
            "MAC-Address" => match mac(text).filter(|mac| *mac != MacAddr::default()) {
                Some(mac) if mac.0[0] & 1 == 0 => {
                    self.keep("")?;
                    self.now.macs.push(mac);
                }
                Some(_) => self.trouble(
                    format!("`{}` is a multicast address", cut(text)),
                    "an access point has one of its own; it is left out",
                ),
                None => self.trouble(format!("`{}` is no Ethernet address", cut(text)), "it is left out"),
            },
            _ => {}
        }
        Ok(())
    }

    /// The pause between repetitions: of a new state, and the longest.
    pub(super) fn pause(&mut self, which: usize, text: &str) -> Result<(), Wrong> {
        let unit = std::mem::take(&mut self.now.unit);
        if !text.is_empty() {
            let pause = self.keep(&format!("{} {unit}", cut(text)))?;
            self.now_sent(|sent| sent.pauses[which] = pause);
        }
        Ok(())
    }

    pub(super) fn access_point_ends(&mut self) {
        let macs = std::mem::take(&mut self.now.macs);
        for key in std::mem::take(&mut self.now.sends) {
            if let Some(sent) = self.found.sent.get_mut(&key) {
                sent.source.extend(macs.iter().copied());
            }
        }
        if let Some(ied) = self.found.ieds.get_mut(&self.now.ied) {
            ied.macs.extend(macs);
        }
    }
}

fn hex(text: &str) -> Option<u16> {
    // `from_str_radix` takes a sign.
    let digits = text.bytes().all(|octet| octet.is_ascii_hexdigit());
    if digits { u16::from_str_radix(text, 16).ok() } else { None }
}

/// `01-0C-CD-01-00-01`.
fn mac(text: &str) -> Option<MacAddr> {
    let mut octets = [0; 6];
    let mut parts = text.split(['-', ':']);
    for octet in &mut octets {
        let part = parts.next().filter(|part| part.len() == 2)?;
        *octet = u8::try_from(hex(part)?).ok()?;
    }
    parts.next().is_none().then_some(MacAddr(octets))
}
