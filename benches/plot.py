"""Draws the plot of BENCHMARKS.md: the time that a guard adds to a request, by body size. Called by report.py."""

import math
from html import escape

WIDTH, HEIGHT = 960, 856
PANEL_WIDTH, PANEL_HEIGHT = 376, 296
LEFTS, TOPS = (78, 560), (84, 444)
# Zero bytes have no place on a logarithmic axis, so empty bodies stand apart before it.
NONE, FIRST = 20, 64
# Times below this are noise of the clock, and negative ones have no logarithm.
LEAST_NS = 10
# Not a guard, but the minimum that any guard costs.
HASH = "the hash alone"
# Name in the results: legend, colours on light and on dark, marker, dashes.
STYLES = {
    "countersign": ("Countersign", "#0060a8", "#58b5f0", "circle", ""),
    "hand-written from_fn": ("hand-written from_fn", "#00805c", "#2fc79b", "square", ""),
    "webhook-verify": ("webhook-verify", "#c24e00", "#f08a4b", "triangle", ""),
    "standardwebhooks": ("standardwebhooks", "#9a6a00", "#e3b341", "diamond", ""),
    "svix": ("svix", "#a8408a", "#e48cc6", "cross", ""),
    "no-op layer": ("a layer that does nothing", "#6b7280", "#9ca3af", "", "2 4"),
    HASH: ("the hash alone", "#6b7280", "#9ca3af", "", "7 4"),
}
# Background, grid, axis, text, headings. The plot has its own background, so it is readable on any page.
LIGHT = ("#ffffff", "#e5e7eb", "#6b7280", "#374151", "#111827")
DARK = ("#0d1117", "#262c36", "#8b949e", "#c9d1d9", "#f0f6fc")
PANELS = [(framework, contest) for framework in ("axum", "actix") for contest in ("GitHub", "Standard Webhooks")]
FRAMEWORKS = {"axum": "axum", "actix": "actix-web"}


def size_text(size):
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit:
            return f"{size // unit} {name}"
    return f"{size} B"


def time_text(nanoseconds):
    for unit, name in ((1e6, "ms"), (1e3, "µs")):
        if abs(nanoseconds) >= unit:
            return f"{nanoseconds / unit:.3g} {name}"
    return f"{nanoseconds:.0f} ns"


def lines(rows):
    """Returns the points of each contestant in each panel: bodies in one chunk, taken whole by the handler."""
    panels = {panel: {} for panel in PANELS}
    for row in rows:
        if row["chunks"] > 1 or row["handler"] != "takes_bytes" or row["name"] not in STYLES:
            continue
        nanoseconds = row["median_ns"] if row["name"] == HASH else row["added_ns"]
        points = panels[row["framework"], row["contest"]].setdefault(row["name"], [])
        if nanoseconds >= LEAST_NS:
            points.append((row["size"], nanoseconds))
    return panels


def marker(shape, x, y, kind):
    r = 4.5
    shapes = {
        "circle": f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r}"',
        "square": f'<rect x="{x - r:.1f}" y="{y - r:.1f}" width="{2 * r}" height="{2 * r}"',
        "triangle": f'<path d="M{x:.1f} {y - r - 1:.1f}l{r + 1} {2 * r}h{-2 * r - 2}z"',
        "diamond": f'<path d="M{x:.1f} {y - r - 1.5:.1f}l{r + 1.5} {r + 1.5}l{-r - 1.5} {r + 1.5}l{-r - 1.5} {-r - 1.5}z"',
        "cross": f'<path d="M{x - r:.1f} {y - r:.1f}l{2 * r} {2 * r}m0 {-2 * r}l{-2 * r} {2 * r}" stroke-width="2.5"',
    }
    return f'{shapes[shape]} class="m {kind}"/>' if shape else ""


def text(x, y, content, anchor="middle", kind="", extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}"{extra}>{escape(content)}</text>'


def panel(left, top, title, contestants, sizes, low, high):
    smallest, largest = math.log(min(filter(None, sizes))), math.log(max(sizes))

    def across(size):
        if not size:
            return left + NONE
        return left + FIRST + (math.log(size) - smallest) / (largest - smallest) * (PANEL_WIDTH - FIRST - 16)

    def up(nanoseconds):
        return top + PANEL_HEIGHT - (math.log10(nanoseconds) - low) / (high - low) * PANEL_HEIGHT

    bottom, right = top + PANEL_HEIGHT, left + PANEL_WIDTH
    out = [text(left, top - 12, title, "start", "title")]
    for power in range(low, math.floor(high) + 1):
        y = up(10**power)
        out.append(f'<path d="M{left} {y:.1f}H{right}" class="grid"/>')
        out.append(text(left - 8, y + 4, time_text(10**power), "end"))
    for size in sizes:
        x = across(size)
        out.append(f'<path d="M{x:.1f} {bottom}v5" class="axis"/>' + text(x, bottom + 20, size_text(size)))
    gap = left + (NONE + FIRST) / 2
    out.append(f'<path d="M{left} {bottom}H{gap - 3:.0f}m6 0H{right}m{gap - 6 - right:.0f} 5l6 -10m0 10l6 -10" class="axis"/>')
    for place, name in reversed(list(enumerate(STYLES))):
        points = sorted(contestants.get(name, []))
        dashes = f' stroke-dasharray="{STYLES[name][4]}"' if STYLES[name][4] else ""
        drawn = [(across(size), up(nanoseconds)) for size, nanoseconds in points]
        steps = [point for point, (size, _) in zip(drawn, points) if size]
        if steps:
            path = "L".join(f"{x:.1f} {y:.1f}" for x, y in steps)
            out.append(f'<path d="M{path}" class="l c{place}"{dashes}/>')
        for (x, y), (size, _) in zip(drawn, points):
            if not STYLES[name][3] and not size:
                out.append(f'<path d="M{x - 8:.1f} {y:.1f}h16" class="l c{place}"/>')
            out.append(marker(STYLES[name][3], x, y, f"c{place}"))
    return out


def rules(column, back, grid, axis, plain, heading):
    """Returns the style sheet, in plain rules because some viewers do not support variables."""
    lines = [f".l.c{place}{{stroke:{style[column]}}}" for place, style in enumerate(STYLES.values())]
    marks = [f".m.c{place}{{fill:{style[column]};stroke:{style[column]}}}" for place, style in enumerate(STYLES.values())]
    return (
        f"text{{font:12px system-ui,sans-serif;fill:{plain}}}.title,.head{{font-weight:600;fill:{heading}}}"
        f".title{{font-size:14px}}.head{{font-size:17px}}.back{{fill:{back}}}.grid{{stroke:{grid}}}"
        f".axis{{stroke:{axis};fill:none}}.l{{fill:none;stroke-width:1.8}}.l.c0{{stroke-width:3}}{''.join(lines + marks)}"
    )


def svg(rows):
    panels = lines(rows)
    points = [point for contestants in panels.values() for line in contestants.values() for point in line]
    sizes = sorted({size for size, _ in points})
    times = [nanoseconds for _, nanoseconds in points]
    low, high = math.floor(math.log10(min(times))), math.log10(max(times)) + 0.1
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img">',
        "<title>Time that a guard adds to a request, by the size of the body</title>",
        f"<style>{rules(1, *LIGHT)}@media(prefers-color-scheme:dark){{{rules(2, *DARK)}}}</style>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="6" class="back"/>',
        text(24, 34, "Time added to a request by its guard", "start", "head"),
        text(WIDTH - 24, 34, "median, over the plain service of the same run; body in one chunk", "end"),
    ]
    for place, (framework, contest) in enumerate(PANELS):
        title = f"{FRAMEWORKS[framework]}, {contest}"
        left, top = LEFTS[place % 2], TOPS[place // 2]
        out += panel(left, top, title, panels[framework, contest], sizes, low, high)
    for left in LEFTS:
        out.append(text(left + PANEL_WIDTH / 2, TOPS[1] + PANEL_HEIGHT + 40, "body size"))
    for top in TOPS:
        x, y = 18, top + PANEL_HEIGHT / 2
        out.append(text(x, y, "time added", extra=f' transform="rotate(-90 {x} {y})"'))
    x, y = LEFTS[0], HEIGHT - 44
    for place, (legend, _, _, shape, dashes) in enumerate(STYLES.values()):
        if dashes and y < HEIGHT - 20:
            x, y = LEFTS[0], HEIGHT - 20
        dashes = f' stroke-dasharray="{dashes}"' if dashes else ""
        out.append(f'<path d="M{x} {y}h28" class="l c{place}"{dashes}/>{marker(shape, x + 14, y, f"c{place}")}')
        out.append(text(x + 34, y + 4, legend, "start"))
        x += 60 + 7 * len(legend)
    return "\n".join(out) + "\n</svg>\n"
