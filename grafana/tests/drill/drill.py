#!/usr/bin/env python3
"""A drill in real time: a site with attackers is played onto interfaces, two sensors listen, a real Prometheus
scrapes them, a real Alertmanager calls a real webhook. Every alert must fire of what gridtap itself measured,
every query of every dashboard and rule must return something.

    drill.py --gridtap PROGRAM --simulator PROGRAM --folder FOLDER [-- COMMAND...]

runs in a network namespace of its own (needs root). COMMAND runs at the end, while Prometheus still answers at
127.0.0.1:9090: the rendering of the dashboards.

    north-1  hears everything; its events go into a file
    south-1  is the one with faults: it hears the masters alone, its events go to a full disk, its tap loses packets,
             another falls silent, one goes down, its profile is changed and then broken, its series are limited,
             and at last it is killed
"""

import argparse
import http.server
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import play
import queries
import rules

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
NORTH, SOUTH = "127.0.0.1:9817", "127.0.0.1:9818"
PROMETHEUS = "http://127.0.0.1:9090"
ALERTMANAGER = "http://127.0.0.1:9093"
WEBHOOK = 9594
# Ranges of the rules are divided by this.
FACTOR = 30
# Seconds of traffic; the attacks come in the first 95.
LENGTH = 115


class Drill:
    """What runs, and what is to be cleaned up."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.folder = arguments.folder.resolve()
        self.processes = {}
        self.messages = []
        self.inhibited = []
        self.faults = []
        self.begun = time.monotonic()

    def say(self, text):
        print(f"drill {time.monotonic() - self.begun:5.0f} s  {text}", flush=True)

    def start(self, name, *command):
        log = (self.folder / f"{name}.log").open("w")
        process = subprocess.Popen(list(map(str, command)), stdout=log, stderr=subprocess.STDOUT)
        self.processes[name] = process

    def stop(self):
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self.processes.values():
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()

    def expect(self, holds, what):
        self.say(("ok    " if holds else "FAULT ") + what)
        if not holds:
            self.faults.append(what)

    # ---- setting up

    def interfaces(self):
        run("ip", "link", "set", "lo", "up")
        for pair in ("north", "south", "quiet", "broken"):
            run("ip", "link", "add", f"tx-{pair}", "type", "veth", "peer", "name", f"tap-{pair}")
            for end in ("tx", "tap"):
                off = pathlib.Path(f"/proc/sys/net/ipv6/conf/{end}-{pair}/disable_ipv6")
                if off.exists():
                    off.write_text("1")
                run("ip", "link", "set", f"{end}-{pair}", "up")

    def capture(self):
        start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        site = self.folder / "site.toml"
        site.write_text((HERE / "site.toml").read_text().replace("START", start))
        run(self.arguments.simulator, "capture", site, "--seed", "3", "--for", f"{LENGTH} s",
            "-o", self.folder / "drill.pcap", "--attacks", HERE / "attacks.toml",
            "--labels", self.folder / "labels.jsonl")

    def profile(self, name, site, more=""):
        text = (HERE / "profile.toml").read_text().replace("SITE", site) + more
        # As editors do: the old file is there until the new one is.
        fresh = self.folder / f"{name}.toml.new"
        fresh.write_text(text)
        fresh.rename(self.folder / f"{name}.toml")

    def sensor(self, name, site, listen, taps, more):
        self.profile(f"{name}-profile", site)
        config = self.folder / f"{name}.toml"
        config.write_text(
            f'sensor.name = "{name}"\ncapture.interfaces = {json.dumps(taps)}\n'
            f'profile.path = "{name}-profile.toml"\nserve.listen = "{listen}"\n{more}')
        self.start(name, self.arguments.gridtap, "run", "--config", config)
        wait(lambda: get(f"http://{listen}/readyz") is not None, 20, f"{name} is not ready")

    def prometheus(self):
        rules.write(ROOT / "grafana/prometheus/rules", self.folder / "rules", FACTOR)
        config = (ROOT / "grafana/prometheus/prometheus.yml").read_text()
        config = config.replace("15s", "1s").replace("scrape_timeout: 10s", "scrape_timeout: 1s")
        head, _, _ = config.partition("    static_configs:\n      - targets: ['127.0.0.1:9817']")
        config = head + "    static_configs:\n" + "".join(
            f"      - targets: ['{address}']\n        labels: {{instance: {name}}}\n"
            for name, address in (("north-1", NORTH), ("south-1", SOUTH)))
        (self.folder / "prometheus.yml").write_text(config)
        run("promtool", "check", "config", self.folder / "prometheus.yml")
        self.start("prometheus", "prometheus", f"--config.file={self.folder}/prometheus.yml",
                   f"--storage.tsdb.path={self.folder}/tsdb", "--web.listen-address=127.0.0.1:9090")
        wait(lambda: get(f"{PROMETHEUS}/-/ready") is not None, 40, "Prometheus is not ready")

    def alertmanager(self):
        source = ROOT / "grafana/alertmanager"
        config = (source / "alertmanager.yml").read_text()
        for slow in ("group_wait: 30s", "group_wait: 10m", "group_interval: 5m", "group_interval: 1m"):
            config = config.replace(slow, slow.split(":")[0] + ": 1s")
        (self.folder / "alertmanager.yml").write_text(config)
        shutil.copytree(source / "templates", self.folder / "templates")
        self.start("alertmanager", "prometheus-alertmanager", f"--config.file={self.folder}/alertmanager.yml",
                   f"--storage.path={self.folder}/alertmanager", "--web.listen-address=127.0.0.1:9093",
                   "--cluster.listen-address=")
        wait(lambda: get(f"{ALERTMANAGER}/-/ready") is not None, 20, "Alertmanager is not ready")

    def webhook(self):
        messages, inhibited, inhibition = self.messages, self.inhibited, self.inhibition

        class Receiver(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                messages.append((self.path, body))
                if self.path == "/soc-pager" and not inhibited:
                    threading.Timer(1.0, inhibition, (body,)).start()
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", WEBHOOK), Receiver)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def inhibition(self, body):
        """While a control is told by its own alert, the net under all alerts is held back for the same kind."""
        for alert in body["alerts"]:
            labels = alert["labels"]
            if labels["alertname"] != "GridtapUnexpectedControl" or alert["status"] != "firing":
                continue
            matchers = ("alertname=GridtapCriticalFinding", *(f"{name}={labels[name]}" for name in ("instance", "kind")))
            query = "&".join(f"filter={urllib.parse.quote(matcher)}" for matcher in matchers)
            for net in json.loads(get(f"{ALERTMANAGER}/api/v2/alerts?{query}") or "[]"):
                self.inhibited.append(bool(net["status"]["inhibitedBy"]))

    # ---- what happens

    def until(self, at, played):
        time.sleep(max(0.0, played + at - time.monotonic()))

    def calm(self, prometheus):
        """Ordinary traffic, before the first attack, is no alert of security."""
        series = prometheus.range('ALERTS{team="soc",severity=~"critical|warning",alertstate="firing"}')
        fired = sorted({one["metric"]["alertname"] for one in series})
        self.expect(not fired, f"no alert of security before the first attack {' '.join(fired)}")

    def faults_of_south(self, played, prometheus):
        """Faults that are provoked, each at its time."""
        south = self.processes["south-1"]
        self.until(6, played)
        self.say("south-1 is held up while packets come: its ring overflows")
        south.send_signal(signal.SIGSTOP)
        play.burst("tx-quiet", 4000)
        time.sleep(1)
        south.send_signal(signal.SIGCONT)
        self.until(15, played)
        self.say("the profile of south-1 is changed, and a tap of it goes down")
        self.profile("south-1-profile", "South", "# changed\n")
        run("ip", "link", "set", "tap-broken", "down")
        self.until(28, played)
        self.calm(prometheus)
        self.until(50, played)
        self.say("the profile of south-1 is broken")
        self.profile("south-1-profile", "South", "[[rules]]\nname = 5\n")

    def expositions(self):
        for name, address in (("north-1", NORTH), ("south-1", SOUTH)):
            text = get(f"http://{address}/metrics")
            if text is None:
                self.expect(False, f"{name} gives its metrics")
                continue
            tool = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True)
            said = tool.stdout + tool.stderr
            self.expect(tool.returncode == 0 and not said, f"promtool check metrics of {name} {said}")

    def alerts(self, prometheus):
        """Every alert has fired."""
        expected = {rule["name"] for group in prometheus.ask("/api/v1/rules")["groups"]
                    for rule in group["rules"] if rule["type"] == "alerting"}

        def fired():
            series = prometheus.range('ALERTS{alertstate="firing"}')
            return {one["metric"]["alertname"] for one in series}

        try:
            wait(lambda: expected <= fired(), 15, "")
        except TimeoutError:
            pass
        missing = expected - fired()
        self.expect(not missing, f"{len(expected) - len(missing)} of {len(expected)} alerts have fired "
                                 f"{' missing: ' + ', '.join(sorted(missing)) if missing else ''}")

    def pager(self):
        """The forged control reached the pager, with station, action and runbook."""
        told = [alert for path, body in self.messages if path == "/soc-pager" for alert in body["alerts"]
                if alert["labels"]["alertname"] == "GridtapUnexpectedControl"
                and alert["labels"]["station"] == "FDR-1" and alert["status"] == "firing"]
        self.expect(bool(told), "the forged control of FDR-1 reached the pager")
        if told:
            notes = told[0]["annotations"]
            self.say(f"      {notes['summary']}  {notes['runbook_url']}")
            self.expect("FDR-1" in notes["summary"] and "control" in notes["summary"]
                        and notes["runbook_url"].endswith("/GridtapUnexpectedControl.md"),
                        "its text names station, action and runbook")
        self.expect(bool(self.inhibited) and all(self.inhibited),
                    "the net under all alerts is inhibited where one of its own tells a control")
        silent = json.loads(get(f"{ALERTMANAGER}/api/v2/alerts?filter=alertname%3DGridtapStationSilent"))
        self.expect(bool(silent) and all(alert["status"]["inhibitedBy"] for alert in silent),
                    "single silent stations are inhibited while many are silent")

    def run(self):
        self.interfaces()
        self.capture()
        self.webhook()
        self.sensor("north-1", "North", NORTH, ["tap-north"], "")
        self.sensor("south-1", "South", SOUTH, ["tap-south", "tap-quiet", "tap-broken"],
                    'capture.ring_mib = 1\nserve.series_per_family = 16\nevents.path = "/dev/full"\n')
        self.alertmanager()
        self.prometheus()
        prometheus = queries.Prometheus(PROMETHEUS)
        wait(lambda: len(prometheus.query('up{job="gridtap"} == 1')) == 2, 20, "sensors are not scraped")
        player = play.Player(self.folder / "drill.pcap", "tx-north", "tx-south")
        self.say(f"{len(player.frames)} frames in {LENGTH} s")
        played = time.monotonic()
        player.start()
        self.faults_of_south(played, prometheus)
        self.until(70, played)
        self.expositions()
        self.pager()
        self.until(92, played)
        self.say("south-1 is killed")
        self.processes["south-1"].kill()
        self.until(100, played)
        if player.error:
            raise player.error
        self.alerts(prometheus)
        names = prometheus.names()
        faults = queries.check_rules(prometheus, names)
        for path in sorted((ROOT / "grafana/dashboards").glob("*.json")):
            faults += queries.check_dashboard(prometheus, json.loads(path.read_text()), names)
        for fault in faults:
            self.expect(False, fault)
        self.expect(not faults, "every query of rules and dashboards returns something")
        if self.arguments.command:
            self.say("rendering")
            done = subprocess.run(self.arguments.command)
            self.expect(done.returncode == 0, "rendering")
        player.join(LENGTH)


def run(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{command}: {done.stdout}{done.stderr}")


def get(url):
    """What is served there; None where nothing good is."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.read().decode()
    except (urllib.error.URLError, OSError):
        return None


def wait(holds, seconds, otherwise):
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(otherwise)
        time.sleep(0.2)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--gridtap", type=pathlib.Path, required=True)
    parser.add_argument("--simulator", type=pathlib.Path, required=True)
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("command", nargs="*")
    arguments = parser.parse_args()
    if os.environ.get("GRIDTAP_DRILL") != "inside":
        os.environ["GRIDTAP_DRILL"] = "inside"
        os.execvp("unshare", ["unshare", "--net", sys.executable, __file__, *sys.argv[1:]])
    shutil.rmtree(arguments.folder, ignore_errors=True)
    arguments.folder.mkdir(parents=True)
    drill = Drill(arguments)
    # So that what was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        drill.run()
    finally:
        drill.stop()
    if drill.faults:
        sys.exit(f"{len(drill.faults)} faults; logs in {drill.folder}")
    print("drill done")


if __name__ == "__main__":
    main()
