#!/usr/bin/env python3
"""Writes the tables of BENCHMARKS.md and the plot benches/added-time.svg from the results of the benchmarks:

    python3 benches/report.py

Reads benches/results/*.json and benches/baseline.json, and writes between `<!-- results -->` and `<!-- /results -->`, and between
the same marks of once, the inbox and tenants. Each part describes the current machine, so run this on the one that was
measured. A part of which nothing was measured here stays as it is. In the others, a section without results says so.
"""

import argparse
import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

from plot import FRAMEWORKS, HASH, size_text, svg, time_text

BENCHES = Path(__file__).resolve().parent
# What the name of a contestant of ours begins with.
OURS = ("countersign", "Once", "guard and HandleOnce", "the inbox")
KEPT_QUIET = {"plain", HASH}


def table(head, rows, labels=1):
    """Formats a table. The first `labels` columns are labels, the others numbers."""
    ruler = ["---"] * labels + ["---:"] * (len(head) - labels)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, ruler, *rows]) + "\n"


def distinct(rows, key):
    return list(dict.fromkeys(row[key] for row in rows))


def grid(rows, line, column, cell, head, name=str):
    """Formats a table with a line for each `line(row)` and a column for each `row[column]`."""
    cells = {(line(row), row[column]): cell(row) for row in rows}
    columns = sorted(distinct(rows, column))
    body = [[*key, *(cells.get((key, at), "") for at in columns)] for key in dict.fromkeys(map(line, rows))]
    return table([*head, *map(name, columns)], body, len(head))


def bold(row, text):
    return f"**{text}**" if row["name"].startswith(OURS) else text


def firsts(rows):
    """Tells of each row whether it is the first of its group."""
    seen = set()
    return [(row, not (row["group"] in seen or seen.add(row["group"]))) for row in rows]


def notes(report):
    return "".join(f"- {note}\n" for note in report.get("notes", []))


def signed(nanoseconds):
    return f"{'−' if nanoseconds < 0 else '+'}{time_text(abs(nanoseconds))}"


def machine(reports):
    info = Path("/proc/cpuinfo").read_text()
    model = next(line.split(": ", 1)[1] for line in info.splitlines() if line.startswith("model name"))
    flags = next(line.split() for line in info.splitlines() if line.startswith("flags"))
    for report in reports.values():
        measured = report.get("cpu") or report.get("machine", {}).get("cpu") or model
        if measured != model:
            sys.exit(f"{report['bench']} was measured on {measured}, but this machine is {model}: run this on the former")
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / (1 << 20)
    rustc = subprocess.run(["rustc", "--version"], cwd=BENCHES, capture_output=True, text=True, check=True).stdout.strip()
    facts = [
        f"{model}, {os.cpu_count()} cores, {'with' if 'sha_ni' in flags else 'without'} SHA instructions",
        "a virtual machine" if "hypervisor" in flags else "not a virtual machine",
        f"{memory:.0f} GiB of memory",
        f"Linux {os.uname().release}",
        rustc,
    ]
    versions = reports.get("service", {}).get("versions", [])
    lines = ["Machine: " + "; ".join(facts) + "."]
    return "\n\n".join(lines + (["Versions: " + ", ".join(versions) + "."] if versions else [])) + "\n"


def service(report):
    out = [
        "Time that a guard adds to a request in process, relative to the plain service of the same case, whose own time is in",
        "the first line. The handler takes the whole body. A negative time is noise.\n",
        "![Time added by body size](benches/added-time.svg)\n",
    ]
    rows = [row for row in report["rows"] if row["handler"] == "takes_bytes"]

    def cell(row):
        if row["name"] in KEPT_QUIET:
            return time_text(row["median_ns"])
        return bold(row, signed(row["added_ns"]))

    for framework in distinct(rows, "framework"):
        for chunks in (1, 16):
            # An empty body has no chunks, and counts as one.
            some = [row for row in rows if row["framework"] == framework and max(row["chunks"], 1) == chunks]
            if some:
                out.append(f"{FRAMEWORKS[framework]}, body in {chunks} chunk{'s' * (chunks > 1)}:\n")
                out.append(grid(some, lambda row: (row["contest"], bold(row, row["name"])), "size", cell, ["scheme", "guard"], size_text))
    return out + [notes(report)]


def allocations(report):
    some = [row for row in report["rows"] if row["handler"] == "takes_bytes" and row["size"] == 1024]

    def cell(row):
        return str(row["allocations"]) if row["name"] == "plain" else bold(row, f"{row['added_allocations']:+d}")

    def line(row):
        return (FRAMEWORKS[row["framework"]], row["contest"], bold(row, row["name"]))

    head = ["framework", "scheme", "guard"]
    return [
        "Heap allocations that a guard adds to a request of 1 KiB, by number of chunks. For the plain service, its own.\n",
        grid(some, line, "chunks", cell, head, lambda chunks: f"{chunks} chunk{'s' * (chunks > 1)}"),
    ]


def last_byte(report):
    def line(row):
        return (FRAMEWORKS[row["framework"]], row["contest"], bold(row, row["name"]))

    return [
        "Time from the last 16 KiB of a large body to the answer, for a handler that takes the whole body.\n",
        grid(report["rows"], line, "size", lambda row: bold(row, time_text(row["median_ns"])), ["framework", "scheme", "guard"], size_text),
    ]


def core(report):
    def cell(row):
        times = time_text(row["median_ns"])
        return times if row["name"] == "bare" else f"{times} (× {row['ratio']:.2f})"

    return [
        "One verification without a framework, and the bare primitive of the same library over the same bytes.\n",
        grid(report["rows"], lambda row: (row["algorithm"], row["name"]), "size", cell, ["algorithm", "path"], size_text),
        notes(report),
    ]


def loopback(report):
    groups = {name: [row for row in report["rows"] if row["group"] == name] for name in distinct(report["rows"], "group")}
    rates = {
        "throughput": ("Requests that a whole server handles in a second of CPU time, and the ratio to the same server whose handler only hashes. *Layered* is the hashing server behind a layer that does nothing.", "ratio_to_hashing"),
        "rejection": ("Requests rejected in a second of CPU time, each closing its connection, and the ratio to accepted requests that close it too.", "ratio_to_accepted"),
    }
    out = []
    for group, (caption, ratio) in rates.items():
        if group in groups:
            def cell(row):
                share = f" ({row[ratio]:.2f})" if row[ratio] is not None else ""
                return f"{row['requests_per_cpu_second']:,.0f}{share}"

            out += [caption + "\n", grid(groups[group], lambda row: (row["name"],), "size", cell, ["server"], size_text)]
    if "rejection_bytes" in groups:
        body = [
            [row["name"], size_text(row["size"]), f"{row['taken_by_guard']:,.0f} B", f"{row['read_from_socket']:,.0f} B"]
            for row in groups["rejection_bytes"]
        ]
        out += ["Bytes read of a rejected body, to be hashed (*wrong*) or discarded (the others): by the guard, and from the socket.\n"]
        out += [table(["server", "body", "by the guard", "from the socket"], body)]
    if "memory" in groups:
        body = [
            [row["name"], str(row["uploads"]), size_text(row["size"]), f"{row['chunk']} B" if row["chunk"] else "Content-Length",
             f"{row['peak_kib'] / 1024:.1f} MiB", f"{row['peak_over_idle_per_body']:.2f}", f"{row['peak_ratio_to_plain']:.2f}"]
            for row in groups["memory"]
        ]
        head = ["server", "uploads", "size", "chunks", "peak", "peak over idle, in bodies", "ratio to plain"]
        out += ["Memory with all uploads in flight at once. The peak over the idle server is in multiples of the bodies.\n", table(head, body)]
    return out


def instructions(report):
    body = [
        [row["group"], row["case"], size_text(row["size"]), str(row["chunks"]), f"{row['instructions']:,}", f"{row['own']:,}"]
        for row in report["rows"]
    ]
    return [
        "Instructions of one verification. *Our own* excludes the bare primitive over the same signed bytes.",
        f"Counted with {report['toolchain']}, where `-` marks what valgrind's CPU lacks.\n",
        table(["surface", "case", "body", "chunks", "instructions", "our own"], body, 2),
    ]


def times(report, what="CPU time of one delivery"):
    body = [
        [row["group"], bold(row, row["name"]), time_text(row["median_ns"]), "" if first else bold(row, signed(row["added_ns"]))]
        for row, first in firsts(report["rows"])
    ]
    return [
        f"{what}, and the difference to the first line of its group.\n",
        table(["group", "contestant", "time", "added"], body, 2),
        notes(report),
    ]


def allocated(report, what="Memory of remembered identities, and heap allocations per delivery"):
    body = [[row["group"], bold(row, row["name"]), f"{row['figure']:,.{1 if row['unit'] == 'allocations' else 0}f} {row['unit']}"] for row in report["rows"]]
    return [f"{what}.\n", table(["group", "contestant", "figure"], body, 2), notes(report)]


def once_rates(report):
    body = [
        [row["group"], bold(row, row["name"]), time_text(row["median_ns"]), "" if first else f"{row['rate_ratio']:.2f} ({row['rate_ratio_q1']:.2f} to {row['rate_ratio_q3']:.2f})",
         time_text(row["cpu_ns"]), "" if first else f"{row['cpu_rate_ratio']:.2f}"]
        for row, first in firsts(report["rows"])
    ]
    return [
        "Time per delivery, and the rate relative to the first line of the group (in brackets, the quartiles of the rounds). The same for",
        "the client's CPU time.\n",
        table(["group", "contestant", "time", "rate", "client's CPU", "rate per CPU"], body, 2),
        notes(report),
    ]


def inbox_rates(report):
    body = [
        [row["group"], bold(row, row["name"]), f"{row['per_second']:,.0f}", "" if first else f"{row['ratio']:.2f}"]
        for row, first in firsts(report["rows"])
    ]
    return [
        "Deliveries per second, and the rate relative to the first line of the group.\n",
        table(["database", "contestant", "per second", "rate"], body, 2),
        notes(report),
    ]


SECTIONS = [
    ("service", "Time added to a request", service),
    ("last-byte", "Last byte to answer", last_byte),
    ("allocations", "Allocations", allocations),
    ("core", "The core alone", core),
    ("loopback", "Whole servers over loopback", loopback),
    ("instructions", "Instructions", instructions),
]


ONCE = [
    ("once-memory", "In memory", times),
    ("once-allocations", "Memory and allocations", allocated),
    ("once-redis", "Through Redis", once_rates),
    ("once-sql", "Through SQL", once_rates),
]

# The mark around a part of the document, the level of its titles, and its sections.
INBOX = [
    ("inbox-accept", "Deliveries stored", inbox_rates),
    ("inbox-work", "Deliveries handled", inbox_rates),
    ("inbox-http", "Deliveries stored over HTTP", inbox_rates),
    ("inbox-effect", "A row in the delivery's transaction", inbox_rates),
]


TENANTS = [
    ("tenants", "Time", partial(times, what="Time of a lookup or a request")),
    ("tenants-allocations", "Allocations", partial(allocated, what="Heap allocations of a lookup or a request")),
]


PARTS = [
    ("results", "##", SECTIONS),
    ("results of once", "###", ONCE),
    ("results of the inbox", "###", INBOX),
    ("results of tenants", "###", TENANTS),
]


def part(sections, level, reports):
    out = [machine(reports)]
    for name, title, section in sections:
        out.append(f"{level} {title}\n")
        report = reports.get(name)
        if report and "command" in report:
            out.append(f"`{report['command']}`\n")
        out += section(report) if report else ["Not measured yet.\n"]
    return "\n".join(out)


def main():
    parser = argparse.ArgumentParser(description="Writes the tables and the plot of BENCHMARKS.md.")
    parser.add_argument("--results", type=Path, default=BENCHES / "results")
    parser.add_argument("--document", type=Path, default=BENCHES.parent / "BENCHMARKS.md")
    parser.add_argument("--plot", type=Path, default=BENCHES / "added-time.svg")
    arguments = parser.parse_args()
    measured = [json.loads(file.read_text()) for file in sorted(arguments.results.glob("*.json"))]
    baseline = json.loads((BENCHES / "baseline.json").read_text())
    reports = {report["bench"]: report for report in [*measured, baseline]}
    unknown = reports.keys() - {name for _, _, sections in PARTS for name, _, _ in sections}
    if unknown:
        sys.exit(f"no section for {', '.join(sorted(unknown))}: add it to SECTIONS")
    document = arguments.document.read_text()
    for mark, level, sections in PARTS:
        own = {name: reports[name] for name, _, _ in sections if name in reports}
        if not any(report["bench"] in own for report in measured):
            continue
        start, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
        before, found, rest = document.partition(start)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            sys.exit(f"{arguments.document} has no {start} … {end}")
        document = f"{before}{start}\n\n{part(sections, level, own)}\n{end}{after}"
    arguments.document.write_text(document)
    if "service" in reports:
        arguments.plot.write_text(svg(reports["service"]["rows"]))


if __name__ == "__main__":
    main()
