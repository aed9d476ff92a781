#!/usr/bin/env python3
"""Writes the dashboards beside this file: python3 generate.py. With --check nothing is written, and the exit status
is 1 if a file is not what it would write. Panels by dashboard: pages.py; what they have in common: here."""

import json
import pathlib
import sys

import pages

HERE = pathlib.Path(__file__).resolve().parent


def main():
    stale = []
    for page in pages.ALL:
        path = HERE / f"{page['uid']}.json"
        text = json.dumps(page, indent=2, ensure_ascii=False) + "\n"
        if "--check" not in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(path.name)
    known = {f"{page['uid']}.json" for page in pages.ALL}
    stale += [path.name for path in HERE.glob("*.json") if path.name not in known]
    if stale:
        sys.exit(f"not what generate.py writes: {', '.join(stale)}; run grafana/dashboards/generate.py")


if __name__ == "__main__":
    main()
