//! What an operation does, in words that hold for every protocol.

/// The protocols this crate knows.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub enum Protocol {
    /// Modbus/TCP, Modbus over UDP, Modbus RTU over TCP.
    Modbus,
    /// DNP3, IEEE 1815.
    Dnp3,
    /// IEC 60870-5-104.
    Iec104,
    /// GOOSE, IEC 61850-8-1.
    Goose,
}

impl Protocol {
    /// All of them, in the order of their labels.
    pub const ALL: [Protocol; 4] = [Protocol::Modbus, Protocol::Dnp3, Protocol::Iec104, Protocol::Goose];

    /// Lower-case name, as in events, metrics and profiles.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Modbus => "modbus",
            Protocol::Dnp3 => "dnp3",
            Protocol::Iec104 => "iec104",
            Protocol::Goose => "goose",
        }
    }

    /// Whether somebody asks stations in it. In the others publishers speak to all who listen.
    #[must_use]
    pub fn has_stations(self) -> bool {
        self != Protocol::Goose
    }

    /// The protocol with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Protocol> {
        Protocol::ALL.into_iter().find(|p| p.name() == name)
    }
}

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// The class of an operation. Closed, so it is safe as a metric label.
        #[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
        pub enum Action { $($(#[$doc])* $variant),+ }

        impl Action {
            /// All classes.
            pub const ALL: &'static [Action] = &[$(Action::$variant),+];

            /// Lower-case name, as in events and profiles.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Action::$variant => $name),+ }
            }
        }
    };
}

actions! {
    /// Ask for values.
    Read = "read",
    /// A station reports values without being asked in this exchange.
    Report = "report",
    /// Write values: registers, set-points, dead-bands, flags.
    Write = "write",
    /// Select a control.
    Select = "select",
    /// Operate a control selected before.
    Operate = "operate",
    /// Operate a control without selecting it.
    DirectOperate = "direct_operate",
    /// Give up what was selected or activated before.
    Cancel = "cancel",
    /// Freeze or clear counters.
    Freeze = "freeze",
    /// Set or synchronise a clock.
    Time = "time",
    /// Read or write files.
    File = "file",
    /// Load, change or start and stop a device's program.
    Program = "program",
    /// Ask what a device is.
    Identify = "identify",
    /// Diagnostics.
    Diagnose = "diagnose",
    /// Restart, stop or silence a device.
    Restart = "restart",
    /// Change how a device reports or stores: unsolicited on or off, classes, configuration.
    Configure = "configure",
    /// Authentication.
    Authenticate = "authenticate",
    /// Confirm receipt.
    Confirm = "confirm",
    /// Link-layer housekeeping.
    Link = "link",
    /// Something this crate has no class for.
    Unknown = "unknown",
}

impl Action {
    /// The class with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Action> {
        Action::ALL.iter().copied().find(|a| a.name() == name)
    }

    /// Whether it only looks: nothing in the station changes.
    #[must_use]
    pub fn is_plain_read(self) -> bool {
        matches!(self, Action::Read | Action::Report | Action::Confirm | Action::Link)
    }

    /// Whether it moves something in the process or its set-points.
    #[must_use]
    pub fn is_control(self) -> bool {
        matches!(self, Action::Write | Action::Select | Action::Operate | Action::DirectOperate)
    }
}

/// A function as it stood on the wire, with its name in the standard.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Hash)]
pub struct Function {
    /// The function code (Modbus: without the exception bit).
    pub code: u8,
    /// Sub-function (Modbus 8), MEI type (Modbus 43), UMAS function (Modbus 90), if any.
    pub sub: Option<u16>,
    /// The standard's name in `snake_case`; `"unknown"` for a code the standard does not define.
    pub name: &'static str,
}

/// A name in `snake_case` as words; the types of IEC 60870-5 as the standard writes them (`C_SC_NA_1`).
#[derive(Debug, Copy, Clone)]
pub struct Spaced<'a>(pub &'a str);

impl core::fmt::Display for Spaced<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        use core::fmt::Write as _;
        let name = self.0;
        let is_type = name.as_bytes().get(1) == Some(&b'_') && name.ends_with("_1");
        for letter in name.chars() {
            f.write_char(match letter {
                letter if is_type => letter.to_ascii_uppercase(),
                '_' => ' ',
                letter => letter,
            })?;
        }
        Ok(())
    }
}
