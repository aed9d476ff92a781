#![allow(clippy::unwrap_used, clippy::panic)]
use std::fmt::Write as _;

use super::*;

const SUBSTATION: &str = include_str!("../../tests/scl/transmission.scd");
const BAY: &str = include_str!("../../tests/scl/bay.cid");

fn read(text: impl AsRef<[u8]>) -> Result<Description, Trouble> {
    Description::read(text.as_ref())
}

/// What is imported, sound as the profile says.
fn imported(text: impl AsRef<[u8]>, file: &str) -> (String, profiles::Profile, Vec<String>) {
    let mut description = read(text).unwrap_or_else(|e| panic!("{e:?}"));
    let toml = description.draft(file).to_toml();
    let profile = profiles::parse(&toml, "x.toml").unwrap_or_else(|e| panic!("{e}\n{toml}"));
    assert!(profile.warnings().is_empty(), "{:?}", profile.warnings());
    let troubles = description.troubles.iter().map(|t| format!("{} ({})", t.what, t.remedy)).collect();
    (toml, profile.profile().clone(), troubles)
}

#[track_caller]
fn refused(text: impl AsRef<[u8]>, what: &str) -> Trouble {
    let trouble = read(text).unwrap_err();
    assert!(trouble.what.contains(what), "{trouble:?}");
    assert!(!trouble.remedy.is_empty());
    trouble
}

/// A description with one control block: what stands in its IED, and in the section Communication.
fn with(communication: &str, ied: &str) -> String {
    format!(
        "<SCL xmlns='http://www.iec.ch/61850/2003/SCL'><Header id='x'/>
         <Communication><SubNetwork name='s'>{communication}</SubNetwork></Communication>{ied}</SCL>"
    )
}

fn ied(name: &str, below: &str) -> String {
    format!(
        "<IED name='{name}'><AccessPoint name='P'><Server><LDevice inst='LD'><LN0 lnClass='LLN0' inst='' lnType='t'>
         {below}</LN0></LDevice></Server></AccessPoint></IED>"
    )
}

#[test]
fn a_substation_of_edition_2_becomes_hosts_and_publishers() {
    let (text, profile, troubles) = imported(SUBSTATION, "transmission.scd");
    assert_eq!(troubles, [""; 0]);
    assert!(text.contains("from transmission.scd, SCL 2007B4: 3 IEDs and 4 publishers of GOOSE."), "{text}");
    assert_eq!((profile.name.as_str(), profile.version.as_str()), ("East transmission substation", "7"));
    let hosts: Vec<_> = profile.hosts.iter().map(|h| (h.name.as_str(), h.addresses[0].to_string())).collect();
    assert_eq!(
        hosts,
        [
            ("NORTH", "10.1.4.111/32".to_owned()),
            ("PARK", "10.1.4.114/32".into()),
            ("TOWN", "10.1.4.112/32".into())
        ]
    );
    assert_eq!(profile.hosts[0].macs, [MacAddr([2, 0xA1, 0, 0, 0, 0x11])]);
    let names: Vec<_> = profile.publishers.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["NORTHPROT-gcbTrip", "PARKPROT-gcb01", "TOWNMEAS-gcbMeas", "TOWNPROT-gcbTrip"]);
    let north = &profile.publishers[0];
    assert_eq!(north.control_block, "NORTHPROT/LLN0$GO$gcbTrip");
    assert_eq!(north.data_set.as_deref(), Some("NORTHPROT/LLN0$dsTrip"));
    assert_eq!((north.application, north.vlan, north.revision), (Some(0x8011), Some(0x68), Some(3)));
    assert_eq!((north.entries, north.identifier.as_deref()), (Some(5), Some("NORTH_TRIP")));
    assert_eq!(north.source, [MacAddr([2, 0xA1, 0, 0, 0, 0x11])]);
    assert_eq!(north.destination, Some(MacAddr([1, 0x0C, 0xCD, 1, 0, 0x11])));
    assert_eq!(
        (north.subscribers.clone(), north.comment.as_deref()),
        (vec!["PARK".into()], Some("Trip of the bay"))
    );
    assert_eq!(profile.publishers[1].vlan, None, "a priority without a VLAN is none");
    for line in [
        "# IED NORTH, access point S1, VLAN priority 4\n# Repeated 4 ms after a change, at the latest every 1000 ms\n\
         # 0 PTRC1.Tr.general [ST]: BOOLEAN\n# 1 Q0XCBR1.Pos.stVal [ST]: Dbpos\n# 2 Q0XCBR1.Pos.q [ST]: Quality\n",
        "# 1 MMXU1.TotA.mag.f [MX]: FLOAT32\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn a_device_of_edition_1_with_prefixes_is_read_too() {
    let (text, profile, troubles) = imported(BAY, "bay.cid");
    assert!(text.contains("from bay.cid, SCL 2003: 1 IED and 2 publishers"), "{text}");
    assert_eq!(troubles, ["the control block `old` is of GSSE, not of GOOSE (it is left out)"]);
    assert_eq!(profile.name, "bay", "the header has no id: the file's name");
    assert!(!text.contains("GHOST"), "what belongs to a tool is no IED: {text}");
    let [host] = profile.hosts.as_slice() else { panic!("{text}") };
    assert_eq!(host.addresses.len(), 2, "two access points");
    let [trip, other] = profile.publishers.as_slice() else { panic!("{text}") };
    assert_eq!(trip.control_block, "BAY1LD0/LLN0$GO$gcb", "an attribute of a tool is no ldName");
    assert_eq!(trip.destination, Some(MacAddr([1, 0x0C, 0xCD, 1, 0, 10])), "CDATA, a comment between");
    assert_eq!((trip.application, trip.vlan), (Some(0x3FFF), Some(10)), "a reference to a character");
    assert_eq!((trip.identifier.as_deref(), trip.entries), (Some("BAY1/TRIP"), Some(2)));
    assert_eq!(trip.subscribers, ["BAY1", "BAY2", "BAY3"], "named here, and by the value that BAY1 takes");
    assert!(text.contains("# 0 upPTOC2.Op [ST]: structure of BOOLEAN, Quality, Timestamp\n"), "{text}");
    assert!(text.contains("# 1 upPTOC2.A.phsA.cVal.mag.f [MX]: FLOAT32\n"), "{text}");
    assert_eq!(other.control_block, "SOUTH_CTRL/LLN0$GO$gcb", "the device has a name of its own");
    assert_eq!(other.entries, None, "all objects of a node: nobody knows how many");
    assert!(text.contains("#   BAY9LD0/LLN0$GO$far\n"), "{text}");
}

#[test]
fn documents_with_a_dtd_or_entities_are_refused() {
    let laughs = "<?xml version='1.0'?>\n<!DOCTYPE lolz [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]><SCL><Header id='&b;'/></SCL>";
    let trouble = refused(laughs, "a document type (DTD) is refused");
    assert_eq!(
        (trouble.at, trouble.remedy),
        (Some(22), "SCL needs no document type and no entities: take them out")
    );
    refused("<!DOCTYPE SCL SYSTEM 'file:///etc/passwd'><SCL/>", "a document type (DTD) is refused");
    refused("<SCL><Header id='&xxe;'/></SCL>", "the entity `xxe` is refused");
    refused("<SCL><IED name='A'>&xxe;</IED></SCL>", "the entity `xxe` is refused");
    refused("<SCL><Private>&xxe;</Private></SCL>", "the entity `xxe` is refused");
}

#[test]
fn depth_attributes_tokens_and_names_have_limits() {
    let deep = format!("<SCL>{}", "<a>".repeat(100_000));
    assert_eq!(refused(deep, "more than 64 elements within one another").at, Some(5 + 63 * 3));
    let ghosts = format!("<SCL><Private>{}", "<a>".repeat(100_000));
    refused(ghosts, "more than 64 elements within one another");
    let many: String = (0..100).fold(String::new(), |mut all, n| {
        _ = write!(all, " a{n}='1'");
        all
    });
    refused(format!("<SCL><IED{many}/></SCL>"), "more than 64 attributes");
    refused(format!("<SCL><Private{many}/></SCL>"), "more than 64 attributes");
    let huge = "x".repeat(4 << 20);
    refused(
        format!("<SCL><IED name='{huge}'/></SCL>"),
        "a tag, a comment or a text of more than 1048576 octets",
    );
    refused(format!("<SCL><!--{huge}--></SCL>"), "a tag, a comment or a text of more than 1048576 octets");
    refused(format!("<SCL><IED name='{}'/></SCL>", "x".repeat(2000)), "a name of more than 1000 octets");
    // Many texts that are each within the limit.
    let texts = format!("<P type='IP'>{}</P>", "<!---->1".repeat(100_000));
    let (_, profile, _) = imported(
        with(
            &format!(
                "<ConnectedAP iedName='A'><Address>{texts}<P type='IP'>10.0.0.1</P></Address></ConnectedAP>"
            ),
            "",
        ),
        "x",
    );
    assert_eq!(profile.hosts.len(), 1);
}

#[test]
fn names_are_kept_up_to_a_limit() {
    let element = format!("<IED name='{}'/>", "n".repeat(1000));
    let count = MAX_KEPT_OCTETS / 1000;
    // A file that is as long is made while it is read.
    let parts = [&b"<SCL>"[..]].into_iter().chain(std::iter::repeat_n(element.as_bytes(), count));
    let trouble = Description::read(Parts(parts, &[])).unwrap_err();
    assert_eq!(trouble.what, "more names than are kept");
}

/// Texts, one after the other.
struct Parts<'p, I>(I, &'p [u8]);

impl<'p, I: Iterator<Item = &'p [u8]>> Read for Parts<'p, I> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.1.is_empty() {
            self.1 = self.0.next().unwrap_or_default();
        }
        self.1.read(out)
    }
}

#[test]
fn what_is_cut_or_no_scl_is_told() {
    for text in [SUBSTATION, BAY] {
        let end = text.trim_end().len();
        for end in (1..end).step_by(401) {
            read(&text[..end]).unwrap_err();
        }
    }
    refused("", "the file holds no XML element");
    refused("[profile]\nname = \"x\"", "the file holds no XML element");
    assert_eq!(
        refused("<html/>", "the root element is <html> instead of <SCL>").remedy,
        "name a description of IEC 61850-6: .scd, .cid, .iid or .icd"
    );
    refused("<SCL/><SCL/>", "the root element is <SCL>");
    refused("<SCL><IED></SCL>", "expected `</IED>`");
    refused("<SCL><x:IED/></SCL>", "the prefix `x` is not declared");
    refused("<SCL><IED name='a' name='b'/></SCL>", "duplicate");
}

#[test]
fn other_encodings_are_told() {
    refused("<?xml version='1.0' encoding='ISO-8859-1'?><SCL/>", "the encoding `ISO-8859-1` is not read");
    let little: Vec<u8> =
        [0xFF, 0xFE].into_iter().chain(SUBSTATION.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    refused(&little, "UTF-16");
    let big: Vec<u8> = SUBSTATION.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(refused(big, "UTF-16").remedy, "convert the file to UTF-8");
    refused(b"<SCL><IED name='\xFF'/></SCL>", "no UTF-8");
    refused(b"<SCL><!-- \xC3( --></SCL>", "no UTF-8");
    // A mark in front of UTF-8 is no character of the first line.
    let marked = [b"\xEF\xBB\xBF".as_slice(), b"<SCL><IED name='&x;'/></SCL>"].concat();
    assert_eq!(refused(&marked, "the entity `x` is refused").at, Some(8));
}

/// A pipe may hand out one octet at a time.
#[test]
fn the_encoding_is_told_however_slowly_the_octets_come() {
    struct Slow<'a>(&'a [u8]);
    impl Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let count = out.len().min(1);
            self.0.read(&mut out[..count])
        }
    }
    let little: Vec<u8> = BAY.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(Description::read(Slow(&little)).unwrap_err(), read(&little).unwrap_err());
    let marked = "\u{feff}<SCL><IED></SCL>";
    assert_eq!(Description::read(Slow(marked.as_bytes())).unwrap_err(), read(marked).unwrap_err());
    let whole = format!("\u{feff}{BAY}");
    assert!(Description::read(Slow(whole.as_bytes())).is_ok());
}

#[test]
fn what_cannot_be_used_is_told_and_left_out() {
    let gse = |parameters: &str| {
        format!(
            "<ConnectedAP iedName='A' apName='P'><GSE ldInst='LD' cbName='g'><Address>{parameters}</Address></GSE></ConnectedAP>"
        )
    };
    let block = "<GSEControl name='g' datSet='d' confRev='-1' appID='i'/>";
    let wrong = "<P type='MAC-Address'>01-0C-CD-01-00</P><P type='APPID'>+800</P><P type='VLAN-ID'>FFF</P>";
    let (_, profile, troubles) = imported(with(&gse(wrong), &ied("A", block)), "x");
    let [publisher] = profile.publishers.as_slice() else { panic!() };
    assert_eq!((publisher.destination, publisher.application, publisher.vlan), (None, None, None));
    assert_eq!((publisher.revision, publisher.entries), (None, None));
    assert_eq!(
        troubles,
        [
            "`01-0C-CD-01-00` is no Ethernet address (six octets are needed, as in 01-0C-CD-01-00-01; not judged)",
            "`+800` is no APPID (up to four hexadecimal digits are needed; not judged)",
            "`FFF` is no VLAN (hexadecimal digits are needed, at most FFE; not judged)",
            "`-1` is no revision of a configuration (`confRev` is a number; the revision is not judged)",
            "there is no data set `d` beside `ALD/LLN0$GO$g` (how many members it has is not judged)",
        ]
    );
    let (_, profile, troubles) = imported(with(&gse(""), &ied("B", block)), "x");
    assert_eq!(profile.publishers.len(), 1);
    assert!(
        troubles.iter().any(|t| t.starts_with("there is no GOOSE control block `g` in `ALD`")),
        "{troubles:?}"
    );
    assert!(
        troubles
            .iter()
            .any(|t| t.starts_with("the section Communication has no address for `BLD/LLN0$GO$g`")),
        "{troubles:?}"
    );
    let unicast = gse("<P type='MAC-Address'>02-0C-CD-01-00-01</P>");
    let (_, _, troubles) = imported(with(&unicast, &ied("A", block)), "x");
    assert!(troubles[0].starts_with("`02-0C-CD-01-00-01` is no multicast address"), "{troubles:?}");
}

#[test]
fn addresses_belong_to_one_host() {
    let connected = |ied: &str, ip: &str| {
        format!(
            "<ConnectedAP iedName='{ied}' apName='P'><Address><P type='IP'>{ip}</P></Address></ConnectedAP>"
        )
    };
    let all = [
        connected("A", "10.0.0.1"),
        connected("B", "10.0.0.1"),
        connected("C", "0.0.0.0"),
        connected("D", "239.1.1.1"),
        connected("E", "10.0.0.999"),
        connected("F", "fd00::1"),
    ];
    let (_, profile, troubles) = imported(with(&all.concat(), ""), "x");
    let hosts: Vec<_> =
        profile.hosts.iter().map(|h| (h.name.as_str(), h.addresses[0].addr().to_string())).collect();
    assert_eq!(hosts, [("A", "10.0.0.1".to_owned()), ("F", "fd00::1".into())]);
    assert_eq!(
        troubles,
        [
            "`10.0.0.999` is no IP address (it is left out)",
            "10.0.0.1 is an address of `A` and of `B` (an address belongs to one host; the first one keeps it)",
            "239.1.1.1 is the address of a group (it is left out)",
        ]
    );
}

#[test]
fn hostile_names_make_sound_profiles() {
    let names = [
        "any",
        "10.0.0.1",
        "10.0.0.0/8",
        "fd00::1",
        "a\"&#10;[[deny]]",
        "&#x202e;x",
        " ",
        "",
        "A",
        "a",
        "A-2",
        "é",
        "#",
        "x]",
        "'''",
        "\\",
    ];
    let mut communication = String::new();
    let mut ieds = String::new();
    for (n, name) in names.iter().enumerate() {
        let name = name.replace('"', "&quot;").replace('\'', "&apos;");
        _ = write!(
            communication,
            "<ConnectedAP iedName='{name}' apName='{name}'><Address><P type='IP'>10.0.1.{n}</P></Address><GSE ldInst='LD' cbName='{name}'/></ConnectedAP>"
        );
        let set = format!(
            "<DataSet name='{name}'><FCDA ldInst='LD' lnClass='{name}' doName='{name}' fc='{name}'/></DataSet>"
        );
        let block = format!(
            "<GSEControl name='{name}' datSet='{name}' desc='{name}' appID='{name}' confRev='1'><IEDName>{name}</IEDName></GSEControl>"
        );
        ieds += &ied(&name, &(set + &block));
    }
    let (text, profile, _) = imported(with(&communication, &ieds), "a\n[[deny]]\u{202e}.scd");
    assert!(profile.rules.is_empty() && profile.denials.is_empty(), "{text}");
    assert_eq!(profile.hosts.len(), names.len() - 1, "{text}");
    assert!(profile.publishers.len() >= 10, "{text}");
}

#[test]
fn types_without_an_end_are_cut() {
    let loops = "<DataTypeTemplates><LNodeType id='t' lnClass='LLN0'><DO name='X' type='o'/></LNodeType><DOType id='o'>";
    let parts = "<SDO name='x' type='o'/>".repeat(100) + "<DA name='s' fc='ST' bType='Struct' type='a'/>";
    let below =
        "<DAType id='a'><BDA name='s' bType='Struct' type='a'/><BDA name='f' bType='FLOAT32'/></DAType>";
    let set = "<DataSet name='d'><FCDA ldInst='LD' lnClass='LLN0' doName='X' fc='ST'/></DataSet><GSEControl name='g' datSet='d' confRev='1'/>";
    let text = ied("A", set) + loops + &parts + "</DOType>" + below + "</DataTypeTemplates>";
    let (text, profile, _) = imported(with("", &text), "x");
    assert_eq!(profile.publishers[0].entries, Some(1));
    assert!(text.contains("# 0 LLN0.X [ST]: structure of FLOAT32, FLOAT32"), "{text}");
    assert!(text.contains("what the templates do not describe"), "{text}");
}

#[test]
fn a_merge_adds_what_is_new_and_tells_what_differs() {
    let old = "# ours\n[profile]\nname = \"x\"\n\n[hosts.north-bay]\naddress = \"10.1.4.111\"\n[hosts.TOWN]\naddress = \"10.9.9.9\"\n\
               [publishers.trip]\ncontrol_block = \"NORTHPROT/LLN0$GO$gcbTrip\"\nconf_rev = 2\n\n";
    let draft = read(SUBSTATION).unwrap().draft("transmission.scd");
    let profile = profiles::parse(old, "x").unwrap();
    let merged = draft.merge_into(old, profile.profile());
    assert!(merged.text.starts_with(old.trim_end()), "{}", merged.text);
    assert_eq!((merged.known, merged.added), (3, 4));
    let ours = "publisher `trip`: the profile says";
    assert_eq!(
        merged.differences,
        [
            "the description gives the IED `TOWN` the address 10.1.4.112, which the profile does not have"
                .to_owned(),
            format!("{ours} appid = nothing, the description 0x8011"),
            format!("{ours} source = nothing, the description [\"02:a1:00:00:00:11\"]"),
            format!("{ours} destination = nothing, the description \"01:0c:cd:01:00:11\""),
            format!("{ours} vlan = nothing, the description 104"),
            format!("{ours} data_set = nothing, the description \"NORTHPROT/LLN0$dsTrip\""),
            format!("{ours} go_id = nothing, the description \"NORTH_TRIP\""),
            format!("{ours} conf_rev = 2, the description 3"),
            format!("{ours} entries = nothing, the description 5"),
        ]
    );
    let again = profiles::parse(&merged.text, "x").unwrap_or_else(|e| panic!("{e}\n{}", merged.text));
    assert_eq!(again.profile().publishers.len(), 4);
    // Once more: nothing is new.
    let twice = draft.merge_into(&merged.text, again.profile());
    assert_eq!((twice.added, twice.text), (0, merged.text));
}

#[test]
fn octets_are_found_in_lines() {
    let text = "ab\n\u{e9}\u{e9}x\nlast";
    let found = places(text.as_bytes(), &[0, 1, 3, 7, 9, 13, 99]);
    let shown: Vec<_> = found.iter().map(|p| (p.line, p.column, p.text.as_str(), p.at)).collect();
    let accents = "\u{e9}\u{e9}x";
    assert_eq!(
        shown,
        [
            (1, 1, "ab", 0),
            (1, 2, "ab", 1),
            (2, 1, accents, 0),
            (2, 3, accents, 4),
            (3, 1, "last", 0),
            (3, 5, "last", 4),
            (3, 5, "", 0),
        ]
    );
    let long = format!("{}|{}", "a".repeat(5000), "b".repeat(5000));
    let found = places(long.as_bytes(), &[5000]);
    assert_eq!((found[0].line, found[0].column, &found[0].text[found[0].at..=found[0].at]), (1, 5001, "|"));
    assert!(found[0].text.len() <= 400);
}
