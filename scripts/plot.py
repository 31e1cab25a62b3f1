#!/usr/bin/env python3
"""Draws what bench-plot.sh measured: time and peak memory against one quantity, side by side, as one SVG.

Reads lines `x<TAB>series<TAB>seconds<TAB>KiB` from standard input; `-` where there is no value. Each series of times
gets the straight line through it (least squares of the relative errors), drawn dashed and written in the legend; on
logarithmic axes it is bent where the constant part rules. Needs nothing but Python; the picture refers to nothing
outside, and follows the reader's choice of light or dark.

    plot.py OUT.svg TITLE X_LABEL PER PER_NAME      # the slope is told per PER of x: 1024 GiB
"""

import math
import sys

WIDTH, HEIGHT = 920, 420
PANELS = ((70, 440), (540, 890))  # left and right edge of each
TOP, BOTTOM = 110, 360
STYLE = """
svg { background: #ffffff; color: #1f2328; --grid: #d8dee4; --a: #0b62c4; --b: #b35900; --c: #1a7f37; --d: #6e7781; }
@media (prefers-color-scheme: dark) {
  svg { background: #0d1117; color: #e6edf3; --grid: #30363d; --a: #6cb6ff; --b: #f0a050; --c: #57c46b; --d: #9aa4af; }
}
.paper { fill: #ffffff; }
@media (prefers-color-scheme: dark) { .paper { fill: #0d1117; } }
text { fill: currentColor; font: 12px system-ui, sans-serif; }
.title { font-size: 15px; font-weight: 600; }
.grid { stroke: var(--grid); stroke-width: 1; }
.line { fill: none; stroke-width: 2; }
.fit { fill: none; stroke-width: 1; stroke-dasharray: 4 4; }
"""


class Axis:
    """A logarithmic axis, or one from zero, between two places on the paper."""

    def __init__(self, values, begin, end, log):
        self.log, self.begin, self.end = log, begin, end
        if log:
            self.low = 10 ** math.floor(math.log10(min(values)) + 1e-9)
            self.high = 10 ** math.ceil(math.log10(max(values)) - 1e-9)
            if self.high == self.low:
                self.high *= 10
        else:
            self.low, step = 0, 10 ** math.floor(math.log10(max(values)))
            self.step = next(step * k for k in (0.2, 0.5, 1, 2, 5) if max(values) / (step * k) <= 6)
            self.high = self.step * math.ceil(max(values) / self.step)

    def place(self, value):
        scale = math.log10 if self.log else float
        share = (scale(value) - scale(self.low)) / (scale(self.high) - scale(self.low))
        return self.begin + share * (self.end - self.begin)

    def ticks(self):
        if self.log:
            first, last = round(math.log10(self.low)), round(math.log10(self.high))
            return [10.0**power for power in range(first, last + 1)]
        return [self.step * n for n in range(round(self.high / self.step) + 1)]


class Categories(Axis):
    """A logarithmic axis whose ticks are the values that were measured."""

    def __init__(self, values, begin, end):
        self.log, self.begin, self.end = True, begin, end
        self.low, self.high, self.values = min(values), max(values), sorted(set(values))

    def ticks(self):
        return self.values


def number(value):
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def fit(points):
    """The straight line a + b·x with the smallest relative errors; a is not below zero."""
    w = [1 / (y * y) for _, y in points]
    sw = sum(w)
    mx = sum(k * x for k, (x, _) in zip(w, points)) / sw
    my = sum(k * y for k, (_, y) in zip(w, points)) / sw
    spread = sum(k * (x - mx) ** 2 for k, (x, _) in zip(w, points))
    slope = sum(k * (x - mx) * (y - my) for k, (x, y) in zip(w, points)) / spread if spread else 0
    if my - slope * mx < 0:
        slope = sum(k * x * y for k, (x, y) in zip(w, points)) / sum(k * x * x for k, (x, _) in zip(w, points))
        return 0, slope
    return my - slope * mx, slope


def path(kind, color, points, x, y):
    if len(points) < 2:
        return ""
    places = " ".join(f"{x.place(a):.1f},{y.place(b):.1f}" for a, b in points)
    return f'<polyline class="{kind}" style="stroke: var(--{color})" points="{places}"/>'


def escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def text(x, y, words, anchor="middle", kind=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{escape(words)}</text>'


def panel(edges, series, x_label, y_label, log, legend):
    """One diagram: axes, lines with their points, and the legend above."""
    left, right = edges
    xs = [a for points in series.values() for a, _ in points]
    ys = [b for points in series.values() for _, b in points]
    x, y = Categories(xs, left, right), Axis(ys, BOTTOM, TOP, log)
    out = []
    for value in y.ticks():
        at = y.place(value)
        out.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>')
        out.append(text(left - 6, at + 4, number(value), "end"))
    for value in x.ticks():
        at = x.place(value)
        out.append(f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{BOTTOM}"/>')
        out.append(text(at, BOTTOM + 16, number(value)))
    out.append(text((left + right) / 2, BOTTOM + 40, x_label))
    middle = (TOP + BOTTOM) / 2
    out.append(f'<g transform="rotate(-90 {left - 50} {middle})">{text(left - 50, middle, y_label)}</g>')
    for row, (name, points) in enumerate(series.items()):
        color, words, line = legend[name]
        out.append(path("fit" if name == "limit" else "line", color, points, x, y))
        if name != "limit":
            out += [
                f'<circle r="3.5" style="fill: var(--{color})" cx="{x.place(a):.1f}" cy="{y.place(b):.1f}"/>'
                for a, b in points
            ]
        if line and log:
            steps = [x.low * (x.high / x.low) ** (n / 60) for n in range(61)]
            curve = [(a, line[0] + line[1] * a) for a in steps]
            out.append(path("fit", color, [(a, b) for a, b in curve if y.low <= b <= y.high], x, y))
            name = f"{name}: {words}"
        at = TOP - 14 - 16 * (len(series) - 1 - row)
        dash = ' stroke-dasharray="4 4"' if name == "limit" else ""
        out.append(f'<line x1="{left}" x2="{left + 20}" y1="{at - 4}" y2="{at - 4}" stroke-width="2"'
                   f'{dash} style="stroke: var(--{color})"/>')
        out.append(text(left + 26, at, name, "start"))
    return out


def main():
    out_file, title, x_label, per, per_name = sys.argv[1:]
    times, memory = {}, {}
    for line in sys.stdin:
        x, name, seconds, kib = line.rstrip("\n").split("\t")
        if seconds != "-":
            times.setdefault(name, []).append((float(x), float(seconds)))
        if kib != "-":
            memory.setdefault(name, []).append((float(x), float(kib) / 1024))
    legend = {}
    for color, name in zip("abc", [n for n in {**times, **memory} if n != "limit"]):
        words, line = "", None
        if len(times.get(name, [])) > 1:
            line = fit(times[name])
            words = f"{line[0] * 1000:.0f} ms + {line[1] * float(per):.3g} s per {per_name}"
        legend[name] = (color, words, line)
    legend["limit"] = ("d", "", None)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
           f"<title>{escape(title)}</title>", f"<style>{STYLE}</style>",
           f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>', text(20, 28, title, "start", "title")]
    out += panel(PANELS[0], times, x_label, "time, seconds", True, legend)
    if memory:
        out += panel(PANELS[1], memory, x_label, "peak memory, MiB", False, legend)
    out.append("</svg>")
    with open(out_file, "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")


main()
