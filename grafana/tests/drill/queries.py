"""Every query of the dashboards and rules, asked of a real Prometheus."""

import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request

# What a panel shows instead of nothing. Asked with it, every query returns something.
OTHERWISE = re.compile(r"\s+or (?:on \(\) )?vector\(0\)")
METRIC = re.compile(r"\b(?:gridtap_\w+|\w+:gridtap_\w+(?::\w+)?)")
INTERVALS = {"__rate_interval": "15s", "__interval": "5s", "__interval_ms": "5000"}
LOOK_BACK = 240


class Prometheus:
    """Its HTTP interface."""

    def __init__(self, url):
        self.url = url

    def ask(self, path, **parameters):
        """What it answers, `data` of it. Raises ValueError with its own words."""
        query = urllib.parse.urlencode(parameters, doseq=True)
        try:
            with urllib.request.urlopen(f"{self.url}{path}?{query}", timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise ValueError(json.load(error).get("error", str(error))) from None

    def query(self, expr):
        """The samples of now."""
        return self.ask("/api/v1/query", query=expr)["result"]

    def range(self, expr):
        """The series of the last minutes."""
        now = time.time()
        return self.ask("/api/v1/query_range", query=expr, start=now - LOOK_BACK, end=now, step=2)["result"]

    def names(self):
        """All metrics."""
        return set(self.ask("/api/v1/label/__name__/values"))


def panels(dashboard):
    """All panels, those in rows too."""
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels") or []


def filled(expr, values):
    """A query with its variables replaced."""
    def value(match):
        name = match[1] or match[2]
        if name.isdigit():
            # A group of label_replace.
            return match[0]
        if name in INTERVALS:
            return INTERVALS[name]
        if name in ("__range", "__range_s"):
            return f"{LOOK_BACK}s" if name == "__range" else str(LOOK_BACK)
        return values[name]
    return re.sub(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))", value, expr)


def finite(series):
    samples = series.get("values") or [series.get("value", [0, "NaN"])]
    return any(value != "NaN" for _, value in samples)


def variables(prometheus, dashboard, faults):
    """The value of every variable; those that give nothing are faults."""
    values = {}
    for variable in dashboard["templating"]["list"]:
        name = variable["name"]
        if variable["type"] == "query":
            text = filled(variable["query"]["query"], values)
            match = re.fullmatch(r"label_values\((.+), (\w+)\)", text)
            got = prometheus.ask(f"/api/v1/label/{match[2]}/values", **{"match[]": match[1]})
            if not got:
                faults.append(f"variable ${name}: no values")
            values[name] = ".+" if variable.get("includeAll") else (got or [""])[0]
        elif variable["type"] == "datasource":
            values[name] = "prometheus"
        else:
            values[name] = variable["query"]
    return values


def check_dashboard(prometheus, dashboard, names):
    """What is wrong with the queries of a dashboard."""
    faults = []
    values = variables(prometheus, dashboard, faults)
    for panel in panels(dashboard):
        for target in panel.get("targets") or []:
            where = f"[{panel['title']}/{target['refId']}]"
            try:
                expr = OTHERWISE.sub("", filled(target["expr"], values))
                result = prometheus.query(expr) if target.get("instant") else prometheus.range(expr)
            except KeyError as error:
                faults.append(f"{where}: variable {error} is not defined")
                continue
            except ValueError as error:
                faults.append(f"{where}: {error}")
                continue
            if not any(map(finite, result)):
                faults.append(f"{where}: nothing comes of {expr}")
            if unknown := set(METRIC.findall(expr)) - names:
                faults.append(f"{where}: unknown metrics {unknown}")
            for label in re.findall(r"{{\s*(\w+)\s*}}", target.get("legendFormat") or ""):
                if result and not any(label in series["metric"] for series in result):
                    faults.append(f"{where}: no series has the label {label} of the legend")
    return [f"{dashboard['uid']} {fault}" for fault in faults]


def check_rules(prometheus, names):
    """What is wrong with the rules that are loaded: errors, unknown metrics, recordings of nothing."""
    faults = []
    for group in prometheus.ask("/api/v1/rules")["groups"]:
        for rule in group["rules"]:
            if rule["health"] != "ok":
                faults.append(f"rule {rule['name']}: {rule['health']} {rule.get('lastError', '')}")
            if unknown := set(METRIC.findall(rule["query"])) - names:
                faults.append(f"rule {rule['name']}: unknown metrics {unknown}")
            if rule["type"] == "recording" and not prometheus.range(rule["name"]):
                faults.append(f"rule {rule['name']}: records nothing")
    return faults
