#!/usr/bin/env python3
"""Rules that keep the dashboards usable: lint.py DASHBOARD.json... Exit status 1 if one is broken."""

import json
import pathlib
import re
import sys

COUNTER = re.compile(r"\bgridtap_\w+_total\b")
IN_RATE = re.compile(r"\b(?:rate|increase|irate)\(")


def faults_of_page(page, uids):
    if page.get("editable") is not False:
        yield "can be edited: changes would be lost with the next provisioning"
    for key, value in (("refresh", "30s"), ("timezone", "utc"), ("graphTooltip", 1)):
        if page.get(key) != value:
            yield f"{key} is {page.get(key)!r}, not {value!r}"
    if "__inputs" in page or "${DS_" in json.dumps(page):
        yield "is an export: its data source does not resolve when it is provisioned"
    variables = {one["name"]: one for one in page["templating"]["list"]}
    if variables.get("datasource", {}).get("type") != "datasource":
        yield "has no variable for the data source"
    for name, one in variables.items():
        if one["type"] == "query" and one.get("refresh") != 2:
            yield f"${name} is not read again when the time changes"
        if one.get("includeAll") and one.get("allValue") != ".+":
            yield f"${name}: All must be .+"
    ids = [panel["id"] for panel in page["panels"]]
    if len(ids) != len(set(ids)):
        yield "ids of panels are used twice"
    for used in set(re.findall(r"\$\{?(\w+)", json.dumps([p.get("targets") for p in page["panels"]]))):
        if not (used in variables or used.startswith("__") or used.isdigit()):
            yield f"variable ${used} is not defined"
    for url in re.findall(r'"url": "(/d/[^"]+)"', json.dumps(page)):
        if url.split("/")[2].split("?")[0] not in uids:
            yield f"links to {url}, which is none of the dashboards"
        if "${__url_time_range}" not in url or "${datasource:queryparam}" not in url:
            yield f"the link {url} loses time or data source"


def overlaps(page):
    taken = {}
    for panel in page["panels"]:
        grid = panel["gridPos"]
        if grid["x"] + grid["w"] > 24:
            yield f"[{panel['title']}] is wider than the page"
        for x in range(grid["x"], grid["x"] + grid["w"]):
            for y in range(grid["y"], grid["y"] + grid["h"]):
                if other := taken.setdefault((x, y), panel["title"]):
                    if other != panel["title"]:
                        yield f"[{panel['title']}] lies over [{other}]"
                        return
    bottom = max(y for _, y in taken)
    holes = [(x, y) for y in range(bottom + 1) for x in range(24) if (x, y) not in taken]
    if holes:
        yield f"has a hole at column {holes[0][0]}, line {holes[0][1]}"


def faults_of_panel(panel):
    if panel["type"] == "row":
        return
    if not panel.get("title") or not (panel.get("description") or "").endswith("."):
        yield "needs a title, and a description that is a sentence"
    if not panel["fieldConfig"]["defaults"].get("unit"):
        yield "has no unit"
    if panel.get("datasource", {}).get("uid") != "${datasource}":
        yield "does not use the variable for the data source"
    if not panel.get("targets"):
        yield "asks nothing"
    for target in panel.get("targets") or []:
        expr = target["expr"]
        if target.get("datasource", {}).get("uid") != "${datasource}":
            yield "a query does not use the variable for the data source"
        if re.search(r"\$__interval\b|\[\d+[smh]\]", expr):
            yield f"a range is neither $__rate_interval nor $__range: {expr}"
        for match in COUNTER.finditer(expr):
            before = expr[:match.start()]
            if not IN_RATE.search(before) or before.count("(") <= before.count(")"):
                yield f"{match[0]} is a counter, and neither rate() nor increase() is taken of it"
        if target.get("instant") is False and "legendFormat" not in target:
            yield "a query over time has no legend"


def main():
    pages = {path: json.loads(pathlib.Path(path).read_text()) for path in sys.argv[1:]}
    uids = [page["uid"] for page in pages.values()]
    found = []
    if len(uids) != len(set(uids)):
        found.append("uids are used twice")
    for path, page in pages.items():
        name = pathlib.Path(path).name
        found += [f"{name} {fault}" for fault in (*faults_of_page(page, uids), *overlaps(page))]
        for panel in page["panels"]:
            found += [f"{name} [{panel['title']}] {fault}" for fault in faults_of_panel(panel)]
    print("\n".join(found) if found else f"{len(pages)} dashboards keep to the rules")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
