"""What the panels of all dashboards have in common."""

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
# Where docs/runbooks and docs/detections.md are published. Another place: sed over the generated files, or a new
# value of the variable in Grafana.
RUNBOOKS = "https://runbooks.example/gridtap"

GREEN, YELLOW, ORANGE, RED = "green", "yellow", "orange", "red"
SEVERITIES = [("critical", "dark-red"), ("high", "red"), ("medium", "orange"), ("low", "yellow"), ("info", "blue"),
              ("warning", "orange")]
# Grafana adds these to every link: the time of the page, and its variables.
KEEP = "${__url_time_range}&${datasource:queryparam}&${sensor:queryparam}"


def steps(*limits):
    """Colours from a value on: steps((None, GREEN), (1, RED))."""
    return {"mode": "absolute", "steps": [{"value": value, "color": color} for value, color in limits]}


def words(*pairs):
    """Values shown as words with a colour: words((0, "answers", GREEN))."""
    options = {str(value): {"text": text, "color": color, "index": n}
               for n, (value, text, color) in enumerate(pairs)}
    return [{"type": "value", "options": options}]


SEVERITY_WORDS = words(*((name, name, color) for name, color in SEVERITIES))


def query(expr, legend=None, instant=False, ref="A"):
    """One query. An instant one is a table."""
    target = {"refId": ref, "datasource": SOURCE, "expr": expr, "instant": instant, "range": not instant,
              "editorMode": "code"}
    if instant:
        target["format"] = "table"
    if legend is not None:
        target["legendFormat"] = legend
    return target


def panel(kind, title, description, queries, unit="short", defaults=None, overrides=(), **more):
    if isinstance(queries, str):
        queries = [query(queries)]
    return {
        "type": kind, "title": title, "description": description, "datasource": SOURCE, "targets": queries,
        "fieldConfig": {"defaults": {"unit": unit, **(defaults or {})}, "overrides": list(overrides)},
        "transparent": False, **more,
    }


def override(name, **properties):
    """What holds for one field: unit, thresholds, mappings, displayName; `width` and `cell` of tables."""
    custom = {"width": "custom.width", "cell": "custom.cellOptions"}
    return {"matcher": {"id": "byName", "options": name},
            "properties": [{"id": custom.get(key, key), "value": value} for key, value in properties.items()]}


def stat(title, description, expr, colors, unit="short", legend="__auto", **more):
    """One large figure, coloured by its value."""
    defaults = {"thresholds": colors, "color": {"mode": "thresholds"}, "noValue": "0", **more.pop("defaults", {})}
    options = {
        "graphMode": more.pop("graph", "none"), "colorMode": "background", "justifyMode": "center",
        "textMode": more.pop("text", "value"), "wideLayout": True, "showPercentChange": False,
        "percentChangeColorMode": "standard", "orientation": "auto",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }
    queries = [query(expr, legend)]
    queries[0].update(instant=True, range=False)
    return panel("stat", title, description, queries, unit, defaults, options=options, **more)


def series(title, description, queries, unit="short", stacked=False, bars=False, colors=None, overrides=(), **more):
    """Lines or bars over time."""
    custom = {
        "drawStyle": "bars" if bars else "line", "lineInterpolation": "linear", "lineWidth": 1,
        "fillOpacity": 80 if bars else (30 if stacked else 8), "gradientMode": "none", "showPoints": "never",
        "pointSize": 5, "spanNulls": False, "axisPlacement": "auto", "axisLabel": "", "axisBorderShow": False,
        "axisColorMode": "text", "scaleDistribution": {"type": "linear"}, "barAlignment": 0,
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        "hideFrom": {"legend": False, "tooltip": False, "viz": False},
        "thresholdsStyle": {"mode": "dashed" if colors else "off"},
    }
    defaults = {"custom": custom, "min": 0, "color": {"mode": "palette-classic"}, **more.pop("defaults", {})}
    if defaults["min"] is None:
        del defaults["min"]
    if colors:
        defaults["thresholds"] = colors
    options = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc", "hideZeros": True},
    }
    return panel("timeseries", title, description, queries, unit, defaults, overrides, options=options, **more)


def bars(title, description, expr, legend, unit="short", colors=None, **more):
    """Values beside each other, the largest first."""
    defaults = {"min": 0, "thresholds": colors or steps((None, "blue")), "color": {"mode": "thresholds"},
                **more.pop("defaults", {})}
    options = {
        "displayMode": "basic", "orientation": "horizontal", "valueMode": "color", "namePlacement": more.pop("name", "left"),
        "showUnfilled": True, "sizing": "auto", "minVizWidth": 8, "minVizHeight": 16, "maxVizHeight": 40,
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False, "calcs": []},
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }
    queries = [query(expr, legend)]
    queries[0].update(instant=True, range=False)
    return panel("bargauge", title, description, queries, unit, defaults, options=options, **more)


def table(title, description, queries, overrides=(), sort=None, transformations=(), defaults=None, **more):
    """Rows; `sort` names the column that the worst rows stand first by."""
    base = {"custom": {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False}, **(defaults or {})}
    options = {"showHeader": True, "cellHeight": "sm", "frameIndex": 0, "showTypeIcons": False,
               "sortBy": [{"displayName": sort, "desc": True}] if sort else []}
    if isinstance(queries, str):
        queries = [query(queries, instant=True)]
    return panel("table", title, description, queries, more.pop("unit", "short"), base, overrides, options=options,
                 transformations=list(transformations), **more)


def order(*names):
    """The columns from left to right; Time and what is not named are left out."""
    return {"id": "filterFieldsByName", "options": {"include": {"names": list(names)}}}, {
        "id": "organize",
        "options": {"excludeByName": {}, "indexByName": {name: n for n, name in enumerate(names)},
                    "renameByName": {}}}


MERGE = {"id": "merge", "options": {}}


def matrix(row, column):
    return {"id": "groupingToMatrix", "options": {"rowField": row, "columnField": column, "valueField": "Value",
                                                  "emptyValue": "zero"}}


def link(title, url, new=False):
    return [{"title": title, "url": url, "targetBlank": new}]


def station_link(field="station"):
    station = "${__data.fields." + field + "}"
    return link("Station " + station, f"/d/gridtap-station?var-station={station}&{KEEP}")


def variable(name, label, source, multi=True):
    """A variable whose values are those of a label."""
    one = {
        "type": "query", "name": name, "label": label, "datasource": SOURCE,
        "query": {"query": source, "refId": name}, "refresh": 2, "sort": 5, "multi": multi, "includeAll": multi,
        "skipUrlSync": False, "hide": 0, "regex": "", "options": [],
    }
    if multi:
        one["allValue"] = ".+"
        one["current"] = {"text": "All", "value": "$__all"}
    return one


def page(uid, title, description, variables, rows):
    """A dashboard: rows of (title, [(panel, width, height), ...])."""
    panels, y, number = [], 0, 0
    for name, members in rows:
        number += 1
        panels.append({"type": "row", "id": number, "title": name, "collapsed": False, "panels": [],
                       "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}})
        y += 1
        x = tallest = 0
        for one, width, height in members:
            if x + width > 24:
                x, y, tallest = 0, y + tallest, 0
            number += 1
            panels.append({**one, "id": number, "gridPos": {"x": x, "y": y, "w": width, "h": height}})
            x, tallest = x + width, max(tallest, height)
        y += tallest
    source = {"type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus", "hide": 0,
              "refresh": 1, "regex": "", "multi": False, "includeAll": False, "options": [], "skipUrlSync": False}
    runbooks = {"type": "constant", "name": "runbooks", "label": "Runbooks", "query": RUNBOOKS, "hide": 2,
                "skipUrlSync": False, "current": {"text": RUNBOOKS, "value": RUNBOOKS}, "options": []}
    return {
        "uid": uid, "title": title, "description": description, "tags": ["gridtap"], "schemaVersion": 42, "version": 1,
        "editable": False, "graphTooltip": 1, "timezone": "utc", "refresh": "30s", "fiscalYearStartMonth": 0,
        "time": {"from": "now-3h", "to": "now"}, "timepicker": {}, "annotations": {"list": []},
        "links": [{"type": "dashboards", "title": "gridtap", "tags": ["gridtap"], "asDropdown": False, "icon": "external link",
                   "includeVars": True, "keepTime": True, "targetBlank": False, "tooltip": "", "url": ""}],
        "templating": {"list": [source, *variables, runbooks]},
        "panels": panels,
    }
