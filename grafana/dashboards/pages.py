"""The four dashboards, from the whole fleet down to the sensor itself."""

from parts import *

SENSOR = variable("sensor", "Sensor", "label_values(gridtap_build_info, instance)")
STATION = variable("station", "Station", 'label_values(gridtap_station_info{instance=~"$sensor"}, station)')
ONE_STATION = variable("station", "Station", "label_values(gridtap_station_info, station)", multi=False)
HERE = 'instance=~"$sensor"'
NAMED = 'instance=~"$sensor",station!~"_.+"'
THIS = 'instance=~"$sensor",station="$station"'
# The site that a sensor watches, also when the sensor is gone or its profile was changed meanwhile.
SITE = ("on (instance) group_left (site) label_replace(topk by (instance) (1, max by (instance, profile) "
        '(last_over_time(gridtap_profile_info[$__range]))), "site", "$1", "profile", "(.*)")')
KIND = ("on (instance, kind) group_left (technique, technique_name, tactic, severity, id) "
        'last_over_time(gridtap_anomaly_kind_info{technique!=""}[$__range])')
COUNTED = steps((None, "transparent"), (1, YELLOW), (10, ORANGE), (100, RED))
# A cell of a matrix without findings stays empty.
BLANK = words((0, "", "transparent"))
CELL = {"type": "color-background", "mode": "basic", "applyToRow": False}
ATTACK = "https://attack.mitre.org/techniques/"
DETECTIONS = "${runbooks}/../detections.md"

FIRING = table(
    "Alerts that fire now", "From Prometheus itself, the worst first. The name leads to the runbook, the station to its page.",
    [query("sort_desc(max by (severity, alertname, station, instance, technique, team) (" + " or ".join(
        f'ALERTS{{alertstate="firing", alertname=~"Gridtap.+", severity="{severity}"}} * {rank}'
        for severity, rank in (("critical", 3), ("warning", 2), ("info", 1))) + "))", instant=True)],
    [override("severity", displayName="Severity", mappings=SEVERITY_WORDS, width=100,
              cell={"type": "color-text"}),
     override("alertname", displayName="Alert", width=280,
              links=link("What to do", "${runbooks}/${__value.raw}.md", True)),
     override("station", displayName="Station", width=140, links=station_link()),
     override("technique", displayName="Technique", width=110,
              links=link("ATT&CK for ICS", ATTACK + "${__value.raw}", True)),
     override("instance", displayName="Sensor", width=140), override("team", displayName="Team")],
    transformations=order("severity", "alertname", "station", "technique", "instance", "team"))


def fleet():
    stations = table(
        "Stations", "One row a station of the profiles. What was found most stands first.",
        [query(f"sum by (instance, station) (increase(gridtap_station_anomalies_total{{{NAMED}}}[$__range]))"
               f" * on (instance, station) group_left (protocol, role, site) gridtap_station_info{{{HERE}}}",
               instant=True, ref="A"),
         query(f"gridtap_station_silent{{{NAMED}}}"
               f" * on (instance, station, protocol) group_left (role, site) gridtap_station_info",
               instant=True, ref="B"),
         query(f"station:gridtap_silence_seconds{{{NAMED}}}"
               " * on (instance, station, protocol) group_left (role, site) gridtap_station_info",
               instant=True, ref="C"),
         query(f"sum by (instance, station, protocol) (rate(gridtap_operations_total{{{NAMED}}}[$__rate_interval]))"
               " * on (instance, station, protocol) group_left (role, site) gridtap_station_info",
               instant=True, ref="D"),
         query(f"station:gridtap_poll_interval:ratio{{{NAMED}}}"
               " * on (instance, station, protocol) group_left (role, site) gridtap_station_info",
               instant=True, ref="E")],
        [override("station", displayName="Station", width=150, links=station_link()),
         override("site", displayName="Site", width=130), override("role", displayName="Role", width=130),
         override("protocol", displayName="Protocol", width=90),
         override("instance", displayName="Sensor", width=120),
         override("Value #A", displayName="Findings", unit="short", decimals=0, thresholds=COUNTED, cell=CELL, width=110),
         override("Value #B", displayName="State", cell={"type": "color-text"}, width=100,
                  mappings=words((0, "answers", GREEN), (1, "silent", RED))),
         override("Value #C", displayName="Last answer before", unit="s", decimals=0, width=160,
                  thresholds=steps((None, GREEN), (60, ORANGE), (300, RED)), cell={"type": "color-text"}),
         override("Value #D", displayName="Operations", unit="ops", decimals=1, width=120),
         override("Value #E", displayName="Poll interval", unit="percentunit", decimals=0,
                  thresholds=steps((None, ORANGE), (0.5, GREEN), (2, ORANGE)), cell={"type": "color-text"})],
        sort="Findings",
        transformations=[MERGE, *order("station", "site", "role", "protocol", "instance", "Value #A", "Value #B",
                                       "Value #C", "Value #D", "Value #E")])
    return page(
        "gridtap-fleet", "gridtap / Fleet", "All sites: what is wrong now, and which stations it concerns.", [SENSOR],
        [("Now", [
            (stat("Alerts firing", "Alerts of gridtap that fire now.",
                  'count(ALERTS{alertstate="firing", alertname=~"Gridtap.+"}) or vector(0)',
                  steps((None, GREEN), (1, RED))), 4, 4),
            (stat("Sensors down", "Sensors that Prometheus cannot scrape: their sites are not watched.",
                  'count(up{job="gridtap"} == 0) or vector(0)', steps((None, GREEN), (1, RED))), 4, 4),
            (stat("Stations silent", "Stations that used to answer and do not.",
                  f"count(gridtap_station_silent{{{NAMED}}} > 0) or vector(0)",
                  steps((None, GREEN), (1, RED))), 4, 4),
            (stat("Critical findings", "Findings of critical severity in the time shown, repeats included.",
                  f'sum(increase(gridtap_anomalies_total{{{HERE},severity="critical"}}[$__range])) or vector(0)',
                  steps((None, GREEN), (1, RED)), defaults={"decimals": 0}), 4, 4),
            (stat("Controls", "Commands that change something, in the time shown, allowed or not.",
                  f"sum(increase(gridtap_control_commands_total{{{HERE}}}[$__range])) or vector(0)",
                  steps((None, "blue")), defaults={"decimals": 0}), 4, 4),
            (stat("Capture loss", "Largest share of packets that a sensor loses before they are read.",
                  f"max(instance:gridtap_capture_dropped_packets:ratio_rate5m{{{HERE}}}) or vector(0)",
                  steps((None, GREEN), (0.001, ORANGE), (0.01, RED)), "percentunit",
                  defaults={"decimals": 2}), 4, 4)]),
         ("What fires", [(FIRING, 24, 9)]),
         ("Stations", [(stations, 24, 12)]),
         ("Traffic", [
             (series("Messages by protocol", "Protocol data units seen.",
                     [query(f"sum by (protocol) (rate(gridtap_pdus_total{{{HERE}}}[$__rate_interval])) > 0",
                            "{{protocol}}")], "pps", stacked=True), 8, 8),
             (series("Response time, 99 of 100", "From request to answer as the tap saw them.",
                     [query(f"protocol:gridtap_response_latency_seconds:p99_5m{{{HERE}}} > 0",
                            "{{instance}} {{protocol}}")], "s"), 8, 8),
             (bars("Poll interval against what it should be", "The ten stations farthest above it. 100 % is as expected.",
                   f"topk(10, station:gridtap_poll_interval:ratio{{{NAMED}}})", "{{station}}", "percentunit",
                   steps((None, ORANGE), (0.5, GREEN), (2, ORANGE)), defaults={"decimals": 0}), 8, 8)])])


def station():
    identity = table(
        "Identity", "What the profile says about the station.",
        [query(f"gridtap_station_info{{{THIS}}}", instant=True)],
        [override("site", displayName="Site", width=90), override("role", displayName="Role", width=110),
         override("protocol", displayName="Protocol", width=90), override("address", displayName="Address", width=110),
         override("instance", displayName="Sensor", width=100)],
        transformations=order("site", "role", "protocol", "address", "instance"))
    points = table(
        "Points", "Points that the profile selects (`metric = true`).",
        [query(f"gridtap_point_value{{{THIS}}} * on (instance, station, point) group_left (unit) gridtap_point_info",
               instant=True, ref="A"),
         query(f"gridtap_point_quality_good{{{THIS}}} * on (instance, station, point) group_left (unit)"
               " gridtap_point_info", instant=True, ref="B")],
        [override("point", displayName="Point"), override("unit", displayName="Unit", width=80),
         override("instance", displayName="Sensor"), override("Value #A", displayName="Value", decimals=1),
         override("Value #B", displayName="Quality", cell={"type": "color-text"},
                  mappings=words((1, "good", GREEN), (0, "not good", RED)))],
        transformations=[MERGE, *order("point", "Value #A", "unit", "Value #B", "instance")])
    found = table(
        "Findings", "By kind, in the time shown, repeats included. Who and which packets stand in the event log.",
        [query(f"sum by (kind, severity, technique, technique_name, id) (increase(gridtap_station_anomalies_total{{{THIS}}}"
               f"[$__range]) * {KIND}) > 0", instant=True)],
        [override("kind", displayName="Kind", width=210, links=link("What it means", DETECTIONS, True)),
         override("id", displayName="Id", width=75),
         override("severity", displayName="Severity", mappings=SEVERITY_WORDS, cell={"type": "color-text"}, width=90),
         override("technique", displayName="Technique", width=100,
                  links=link("ATT&CK for ICS", ATTACK + "${__value.raw}", True)),
         override("technique_name", displayName="Name"),
         override("Value", displayName="Count", decimals=0, width=80)],
        sort="Count",
        transformations=order("severity", "id", "kind", "technique", "technique_name", "Value"))
    rate = "[$__rate_interval]"
    return page(
        "gridtap-station", "gridtap / Station", "One station: does it answer, what was done to it, what does it report.",
        [SENSOR, ONE_STATION],
        [("Now", [
            (stat("State", "Whether the station answers.", f"max(gridtap_station_silent{{{THIS}}})",
                  steps((None, GREEN), (1, RED)), defaults={
                      "noValue": "not known", "mappings": words((0, "answers", GREEN), (1, "SILENT", RED))}), 4, 4),
            (stat("Last answer before", "Time since the station last sent an operation.",
                  f"min(station:gridtap_silence_seconds{{{THIS}}})",
                  steps((None, GREEN), (60, ORANGE), (300, RED)), "s", defaults={"noValue": "never", "decimals": 0}), 4, 4),
            (stat("Findings", "In the time shown, repeats included.",
                  f"sum(increase(gridtap_station_anomalies_total{{{THIS}}}[$__range])) or vector(0)",
                  steps((None, GREEN), (1, ORANGE), (10, RED)), defaults={"decimals": 0}), 4, 4),
            (stat("Controls", "Commands that change something, in the time shown.",
                  f"sum(increase(gridtap_control_commands_total{{{THIS}}}[$__range])) or vector(0)",
                  steps((None, "blue")), defaults={"decimals": 0}), 4, 4),
            (identity, 8, 4)]),
         ("What was done", [
             (found, 13, 9),
             (series("Controls by outcome", "Commands that change something, by class and what the station answered.",
                     [query(f"sum by (command, outcome) (increase(gridtap_control_commands_total{{{THIS}}}[$__rate_interval])) > 0",
                            "{{command}}: {{outcome}}")], bars=True, stacked=True,
                     defaults={"decimals": 0}), 11, 9)]),
         ("What it reports", [
             (points, 10, 8),
             (series("Points over time", "Values of the selected points, each in its unit.",
                     [query(f"gridtap_point_value{{{THIS}}}", "{{point}}")], defaults={"min": None}), 14, 8)]),
         ("How it talks", [
             (series("Operations by function", "What masters ask and the station reports.",
                     [query(f"sum by (operation) (rate(gridtap_operations_total{{{THIS}}}{rate})) > 0",
                            "{{operation}}")], "ops", stacked=True), 8, 8),
             (series("Poll interval", "Of the fastest poll, beside what it should be.",
                     [query(f"min(gridtap_station_poll_interval_seconds{{{THIS}}})", "is", ref="A"),
                      query(f"min(gridtap_station_poll_interval_baseline_seconds{{{THIS}}})", "should be", ref="B")],
                     "s"), 8, 8),
             (series("Refused and unanswered", "Requests that the station refused, by its reason, or did not answer.",
                     [query(f"sum by (code) (rate(gridtap_exceptions_total{{{THIS}}}{rate})) > 0"
                            ' or label_replace(vector(0), "code", "refused", "", "")', "{{code}}", ref="A"),
                      query(f"sum(rate(gridtap_unanswered_requests_total{{{THIS}}}{rate}))", "unanswered", ref="B")],
                     "reqps"), 8, 8)])])


def security():
    counted = f"increase(gridtap_station_anomalies_total{{{HERE}}}[$__range])"
    techniques = table(
        "ATT&CK for ICS: technique by site", "Findings by the first technique of their kind, in the time shown. The most "
        "frequent stand first.",
        [query('sort_desc(round(sum by (row, site) (label_join('
               f'{counted} * {KIND} * {SITE}, "row", " ", "technique", "technique_name"))) > 0)', instant=True)],
        [override("row\\site", displayName="Technique", width=305, cell={"type": "auto"},
                  links=link("ATT&CK for ICS", "https://attack.mitre.org/matrices/ics/", True))],
        transformations=[matrix("row", "site")],
        defaults={"thresholds": COUNTED, "decimals": 0, "noValue": "", "mappings": BLANK,
                  "color": {"mode": "thresholds"},
                  "custom": {"align": "auto", "cellOptions": CELL, "inspect": False, "minWidth": 84}})
    kinds = table(
        "Kind by station", "Findings in the time shown; _unprofiled are those that name no station of the profile.",
        [query(f"sort_desc(round(sum by (kind, station) (increase(gridtap_station_anomalies_total{{{HERE},"
               'station=~"$station|_.+"}[$__range]))) > 0)', instant=True)],
        [override("kind\\station", displayName="Kind", width=190, cell={"type": "auto"},
                  links=link("What it means", DETECTIONS, True))],
        transformations=[matrix("kind", "station")],
        defaults={"thresholds": COUNTED, "decimals": 0, "noValue": "", "mappings": BLANK,
                  "color": {"mode": "thresholds"},
                  "custom": {"align": "auto", "cellOptions": CELL, "inspect": False, "minWidth": 84}})
    by_severity = series(
        "Findings over time by severity", "Repeats included.",
        [query(f"sum by (severity) (increase(gridtap_anomalies_total{{{HERE}}}[$__rate_interval])) > 0", "{{severity}}")],
        "none", bars=True, stacked=True, defaults={"decimals": 0},
        overrides=[override(name, color={"mode": "fixed", "fixedColor": color}) for name, color in SEVERITIES[:5]])
    hosts = steps((None, GREEN), (1, ORANGE))
    return page(
        "gridtap-security", "gridtap / Security", "What was found, by technique, kind and station.", [SENSOR, STATION],
        [("Now", [
            (stat("Critical findings", "In the time shown, repeats included.",
                  f'sum(increase(gridtap_anomalies_total{{{HERE},severity="critical"}}[$__range])) or vector(0)',
                  steps((None, GREEN), (1, RED)), defaults={"decimals": 0}), 6, 4),
            (stat("High findings", "In the time shown, repeats included.",
                  f'sum(increase(gridtap_anomalies_total{{{HERE},severity="high"}}[$__range])) or vector(0)',
                  steps((None, GREEN), (1, ORANGE)), defaults={"decimals": 0}), 6, 4),
            (stat("Medium findings", "In the time shown, repeats included.",
                  f'sum(increase(gridtap_anomalies_total{{{HERE},severity="medium"}}[$__range])) or vector(0)',
                  steps((None, GREEN), (1, YELLOW)), defaults={"decimals": 0}), 6, 4),
            (stat("Unprofiled hosts", "Hosts that have sent something and that no profile names.",
                  f'sum(gridtap_assets{{{HERE},state="unprofiled"}})', hosts), 6, 4),
            (by_severity, 24, 7)]),
         ("Where", [(techniques, 8, 13), (kinds, 16, 13)]),
         ("What fires, and what was not told", [
             (FIRING, 14, 9),
             (table("Not told on their own", "Repeats folded into an earlier finding, findings withheld because the tap was "
                    "blind (coverage), and known deviations (quirk).",
                    [query(f"sort_desc(sum by (kind, reason) (increase(gridtap_anomalies_suppressed_total{{{HERE}}}[$__range]))"
                           " > 0)", instant=True)],
                    [override("kind", displayName="Kind"), override("reason", displayName="Reason"),
                     override("Value", displayName="Count", unit="none", decimals=0)], sort="Count",
                    transformations=order("kind", "reason", "Value")), 10, 9)])])


def sensor():
    rate = "[$__rate_interval]"
    versions = table(
        "Versions and profiles", "The profile in force and its version, if it has one, with the beginning of its SHA-256.",
        [query(f"gridtap_build_info{{{HERE}}} * on (instance) group_left (profile, profile_version, hash, mode) "
               'label_replace(gridtap_profile_info, "hash", "$1", "sha256", "(.{0,12}).*")', instant=True)],
        [override("instance", displayName="Sensor", width=110), override("version", displayName="gridtap", width=80),
         override("profile", displayName="Profile", width=110),
         override("profile_version", displayName="Its version", width=90),
         override("mode", displayName="Mode", width=100), override("hash", displayName="Hash")],
        transformations=order("instance", "version", "profile", "profile_version", "mode", "hash"))
    return page(
        "gridtap-sensor", "gridtap / Sensor health", "Whether gridtap itself sees everything and loses nothing.", [SENSOR],
        [("Now", [
            (stat("Sensors", "Whether Prometheus can scrape them.", 'sort(up{job="gridtap"})',
                  steps((None, RED), (1, GREEN)), legend="{{instance}}", text="value_and_name",
                  defaults={"mappings": words((1, "up", GREEN), (0, "DOWN", RED))}), 6, 4),
            (stat("Taps", "Interfaces that a sensor listens on.", f"sort(gridtap_capture_up{{{HERE}}})",
                  steps((None, RED), (1, GREEN)), legend="{{instance}} {{interface}}", text="value_and_name",
                  defaults={"mappings": words((1, "up", GREEN), (0, "DOWN", RED))}), 8, 4),
            (versions, 10, 4)]),
         ("What it sees", [
             (series("Packets", "Read from the taps.",
                     [query(f"sum by (instance, interface) (rate(gridtap_capture_packets_total{{{HERE}}}{rate}))",
                            "{{instance}} {{interface}}")], "pps"), 8, 8),
             (series("Packets lost", "Before they were read: by the kernel for want of room in the ring, by the interface.",
                     [query(f"sum by (instance, reason) (rate(gridtap_capture_dropped_packets_total{{{HERE}}}{rate}))",
                            "{{instance}} {{reason}}")], "pps", defaults={"custom": {"drawStyle": "line", "fillOpacity": 30}}), 8, 8),
             (series("Time since the last packet", "By tap. Above the line a tap counts as dead.",
                     [query(f"time() - gridtap_capture_last_packet_timestamp_seconds{{{HERE}}}", "{{instance}} {{interface}}")],
                     "s", colors=steps((None, GREEN), (60, RED))), 8, 8)]),
         ("What it could not see or hold", [
             (series("Half-seen and torn connections", "Flows of which one direction was seen; holes in streams.",
                     [query(f"sum by (instance) (increase(gridtap_one_way_flows_total{{{HERE}}}{rate}))", "{{instance}} one way", ref="A"),
                      query(f"sum by (instance) (increase(gridtap_reassembly_gaps_total{{{HERE}}}{rate}))", "{{instance}} holes", ref="B")],
                     ), 8, 8),
             (bars("Defects by kind", "What was wrong with the traffic, in the time shown: the ten most frequent.",
                   f"topk(10, sum by (protocol, reason) (increase(gridtap_decode_errors_total{{{HERE}}}[$__range])) > 0)",
                   "{{protocol}} {{reason}}", defaults={"decimals": 0}), 8, 8),
             (bars("Fill of tables and queues", "Flow table, event queue, and families of metrics against their room.",
                   f'label_replace(sum by (instance) (gridtap_flows{{{HERE}}}) / sum by (instance) (gridtap_flow_table_capacity), "what", "flows", "", "")'
                   f' or label_replace(sum by (instance) (gridtap_event_queue_length{{{HERE}}} / gridtap_event_queue_capacity), "what", "events", "", "")',
                   "{{instance}} {{what}}", "percentunit", steps((None, GREEN), (0.5, ORANGE), (0.8, RED)),
                   defaults={"max": 1, "decimals": 1}), 8, 8)]),
         ("What it says", [
             (series("Events", "Written to the event log, and lost.",
                     [query(f"sum by (instance) (rate(gridtap_events_emitted_total{{{HERE}}}{rate}))", "{{instance}} written", ref="A"),
                      query(f"sum by (instance) (rate(gridtap_events_dropped_total{{{HERE}}}{rate}))", "{{instance}} lost", ref="B"),
                      query(f"sum by (instance) (rate(gridtap_event_write_errors_total{{{HERE}}}{rate}))", "{{instance}} errors", ref="C")],
                     "eps"), 8, 8),
             (bars("Label sets by family", "The six largest families with stations. Limits stand in docs/metrics.md.",
                   f'topk(6, max by (what) (label_replace(gridtap_metric_series{{{HERE}}}, "what", "$1", "family", "gridtap_(.+)")))',
                   "{{what}}", name="top"), 8, 8),
             (table("Counted together for want of room", "Updates under station _other, and tables of the detections that "
                    "were full, in the time shown.",
                    [query(f'sort_desc(label_replace(increase(gridtap_metric_series_dropped_total{{{HERE}}}[$__range]), "what", "$1", "family", "(.+)") > 0'
                           f' or label_replace(increase(gridtap_tables_full_total{{{HERE}}}[$__range]), "what", "$1", "table", "(.+)") > 0'
                           ' or label_replace(vector(0), "what", "nothing else", "", ""))', instant=True)],
                    [override("instance", displayName="Sensor", width=120), override("what", displayName="What"),
                     override("Value", displayName="Times", unit="none", decimals=0, width=90)],
                    transformations=order("instance", "what", "Value")), 8, 8)])])


ALL = [fleet(), station(), security(), sensor()]
