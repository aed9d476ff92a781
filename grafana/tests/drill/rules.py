"""The rules with all durations divided, so that a drill of minutes shows what they do in hours."""

import pathlib
import re

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
# Ranges and offsets. Thresholds stay as they are.
DURATION = re.compile(r"(\[|offset )(\d+)([smhd])")
FOR = re.compile(r"\bfor: \d+[smhd]")


def shorter(text, factor):
    """Every range of a rule file divided; `for:` is two seconds, so that a burst of seconds lasts long enough."""
    def divided(match):
        seconds = max(2, round(int(match[2]) * SECONDS[match[3]] / factor))
        return f"{match[1]}{seconds}s"
    text = FOR.sub("for: 2s", DURATION.sub(divided, text))
    return text.replace("interval: 15s", "interval: 1s")


def write(source, target, factor):
    """Write all rule files of a folder into another one."""
    target.mkdir()
    for path in sorted(pathlib.Path(source).glob("*.yml")):
        (target / path.name).write_text(shorter(path.read_text(), factor))
