"""Draws the pictures of the README from a real run of nightly-load: terminal.svg and trace.svg.

    tests/run.sh                                          # installs Jaeger in target/tools
    cargo build --example nightly-load
    python3 -m venv target/tools/pictures
    target/tools/pictures/bin/pip install rich==14.3.3
    target/tools/pictures/bin/python examples/pictures/draw.py

Run it in the top folder. Jaeger has its default ports while it runs.
"""

import html
import io
import json
import os
import re
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", "target"))
COLUMNS = 132
JAEGER = "http://127.0.0.1:16686"

# The frame of rich without the fonts that it would load from another site.
FRAME = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: {char_height}px; line-height: {line_height}px; }}
{styles}
</style>
<defs>{lines}</defs>
<rect width="100%" height="100%" rx="8" fill="#292929"/>
<g transform="translate({terminal_x}, {terminal_y})">{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g></g>
</svg>
"""


def run(folder, **environment):
    """What nightly-load prints, with colours, and its log lines."""
    log = Path(folder) / "log"
    log.unlink(missing_ok=True)
    command = [TARGET / "debug/examples/nightly-load", "--data", "examples/data/penguins_raw.csv", "--output", folder]
    settings = {"LOG_FORMAT": "text", "CLICOLOR_FORCE": "1", "PROMETHEUS_PORT": "0", "LOG_FILE": str(log), **environment}
    ended = subprocess.run(command, env=os.environ | settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)
    return ended.stdout.replace(folder, "target/nightly-load"), [json.loads(line) for line in log.read_text().splitlines()]


def terminal(output):
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text("$ LOG_FORMAT=text cargo run --example nightly-load", style="bold"))
    console.print(Text.from_ansi(output))
    return console.export_svg(code_format=FRAME, unique_id="run")


def spans_of(trace):
    """The spans of a trace, once Jaeger has all eight of them."""
    for _ in range(100):
        try:
            with urllib.request.urlopen(f"{JAEGER}/api/traces/{trace}") as answer:
                spans = json.load(answer)["data"][0]["spans"]
                if len(spans) >= 8:
                    return sorted(spans, key=lambda span: span["startTime"])
        except urllib.error.URLError:
            pass
        time.sleep(0.2)
    raise SystemExit("Jaeger does not have the trace")


def waterfall(spans):
    begin, total = spans[0]["startTime"], spans[0]["duration"]
    left, width, row = 250, 660, 26
    height = 56 + row * len(spans)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1100 {height}" font-family="ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace" font-size="14">',
        '<rect width="100%" height="100%" rx="8" fill="#292929"/>',
        f'<text x="16" y="28" fill="#9a9b99">trace {spans[0]["traceID"]}</text>',
    ]
    for number, span in enumerate(spans):
        tags = {tag["key"]: tag["value"] for tag in span["tags"]}
        status = tags.get("obs.check.status")
        color = {"failed": "#cc555a", "warned": "#d0b344"}.get(status, "#68a0b3")
        y = 44 + row * number
        x = left + width * (span["startTime"] - begin) / total
        bar = max(2, width * span["duration"] / total)
        indent = 16 if number == 0 else 32
        label = f'{span["duration"] / 1000:.1f} ms' + (f"  {status}" if status else "")
        parts += [
            f'<text x="{indent}" y="{y + 15}" fill="#c5c8c6">{html.escape(span["operationName"])}</text>',
            f'<rect x="{x:.1f}" y="{y + 2}" width="{bar:.1f}" height="18" rx="2" fill="{color}"/>',
            f'<text x="{left + width + 16}" y="{y + 15}" fill="#c5c8c6" xml:space="preserve">{label}</text>',
        ]
    return "\n".join([*parts, "</svg>\n"])


def main():
    with tempfile.TemporaryDirectory() as folder:
        output, _ = run(folder)
        (HERE / "terminal.svg").write_text(re.sub(r"[ \t]+\n", "\n", terminal(output)))
    jaeger = subprocess.Popen([TARGET / "tools/jaeger"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with tempfile.TemporaryDirectory() as folder:
            while not listens():
                time.sleep(0.2)
            _, lines = run(folder, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:4318", OBS_FLUSH_TIMEOUT="30s")
            (HERE / "trace.svg").write_text(waterfall(spans_of(lines[0]["trace_id"])))
    finally:
        jaeger.terminate()
        jaeger.wait()


def listens():
    try:
        urllib.request.urlopen(JAEGER).close()
        return True
    except urllib.error.URLError:
        return False


main()
