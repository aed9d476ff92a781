//! The decode tree as JSON, for `gridtap dissect`.

use parsers::{FieldSink, Leaf};

use super::json::Json;

/// Writes a walk over a decode tree as JSON members. Spans are not written.
pub struct JsonFields<'a> {
    json: &'a mut Json,
    /// For every level that is open: whether it is a list.
    levels: Vec<bool>,
}

impl<'a> JsonFields<'a> {
    /// Write into an object that is open in `json`.
    pub fn new(json: &'a mut Json) -> JsonFields<'a> {
        JsonFields { json, levels: Vec::new() }
    }

    fn in_list(&self) -> bool {
        self.levels.last().copied().unwrap_or(false)
    }

    fn name(&mut self, name: &'static str) {
        if !self.in_list() {
            self.json.key(name);
        }
    }

    /// Close what the walk left open.
    pub fn finish(mut self) {
        while !self.levels.is_empty() {
            self.close();
        }
    }
}

impl FieldSink for JsonFields<'_> {
    fn leaf(&mut self, name: &'static str, value: Leaf<'_>, _span: Option<core::ops::Range<usize>>) {
        JsonFields::name(self, name);
        let leaf = value;
        match leaf {
            Leaf::Null => self.json.null(),
            Leaf::Bool(value) => self.json.boolean(value),
            Leaf::Unsigned(value) => self.json.unsigned(value),
            Leaf::Signed(value) => self.json.signed(value),
            Leaf::Float(value) => self.json.float(value),
            Leaf::Name(value) => self.json.word(value),
            Leaf::Bytes(value) => self.json.hex(value),
            Leaf::Text(value) | Leaf::Ascii(value) => {
                let lossy = match leaf {
                    Leaf::Ascii(_) => self.json.graphic_text(value),
                    _ => self.json.wire_text(value),
                };
                if lossy && !self.in_list() {
                    self.json.key_with_ending(name, "_hex");
                    self.json.hex(value);
                }
            }
        }
    }

    fn open(&mut self, name: &'static str) {
        JsonFields::name(self, name);
        self.json.open_object();
        self.levels.push(false);
    }

    fn open_list(&mut self, name: &'static str) {
        JsonFields::name(self, name);
        self.json.open_list();
        self.levels.push(true);
    }

    fn close(&mut self) {
        match self.levels.pop() {
            Some(true) => self.json.close_list(),
            Some(false) => self.json.close_object(),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_octet_of_an_ascii_text_gives_valid_json_and_is_shown_like_the_reference_does() {
        let shown = |value: &[u8]| {
            let mut json = Json::new();
            json.open_object();
            JsonFields::new(&mut json).leaf("name", Leaf::Ascii(value), None);
            json.close_object();
            let tree: serde_json::Value = serde_json::from_slice(&json.take()).unwrap();
            (tree["name"].as_str().unwrap().to_owned(), tree.get("name_hex").is_some())
        };
        for octet in 0..=255_u8 {
            let (text, is_hex) = shown(&[b'a', octet, b'z']);
            let expected = match octet {
                0 => "a".to_owned(),
                9 | 10 | 13 => "a z".to_owned(),
                0x20..=0x7e => format!("a{}z", char::from(octet)),
                0x80.. => "a\u{fffd}z".to_owned(),
                control => format!("a\\x{control:x}z"),
            };
            assert_eq!((text, is_hex), (expected, !matches!(octet, 0x20..=0x7e)));
        }
        assert_eq!(shown(b""), (String::new(), false));
    }

    #[test]
    fn a_decode_tree_becomes_json_and_lost_octets_are_kept_as_hex() {
        let mut json = Json::new();
        json.open_object();
        let mut fields = JsonFields::new(&mut json);
        fields.number("function_code", 3);
        fields.open_list("objects");
        fields.open("ignored");
        fields.leaf("name", Leaf::Text(b"ok\xff"), None);
        fields.leaf("name", Leaf::Ascii("ü".as_bytes()), None);
        fields.close();
        fields.number("ignored", 7);
        fields.close();
        fields.open("left_open");
        fields.finish();
        json.close_object();
        let text = String::from_utf8(json.take()).unwrap();
        assert_eq!(
            text,
            "{\"function_code\":3,\"objects\":[{\"name\":\"ok\\ufffd\",\"name_hex\":\"6f6bff\",\"name\":\"\\ufffd\\ufffd\",\"name_hex\":\"c3bc\"},7],\"left_open\":{}}"
        );
    }
}
