//! Every real capture of the corpus is read to its end, as many frames as its manifest says.

use super::*;
use crate::capture::file::open_files;
use crate::testing;

#[test]
fn every_corpus_capture_gives_as_many_frames_as_its_manifest_says() {
    let Some(root) = testing::corpus("every_corpus_capture_gives_as_many_frames_as_its_manifest_says") else {
        return;
    };
    let manifest: toml::Table = std::fs::read_to_string(root.join("MANIFEST.toml")).unwrap().parse().unwrap();
    let mut files = 0;
    for entry in manifest["file"].as_array().unwrap() {
        let path = entry["path"].as_str().unwrap();
        let Some(packets) = entry.get("packets").and_then(toml::Value::as_integer) else { continue };
        let octets = std::fs::read(root.join(path)).unwrap();
        let whole = drain(open_files(&[root.join(path)]).unwrap());
        assert_eq!(whole.0.len() as i64, packets, "{path}: {:?}", whole.1);
        if octets.len() < 4_000_000 {
            assert_eq!(whole, read_by_drips(&octets), "{path}: the same by drips");
        }
        files += 1;
    }
    assert!(files > 0, "the manifest names captures");
}
