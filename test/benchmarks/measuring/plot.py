"""A picture of time over the size of the data, as SVG written by hand."""
import math

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 900, 460, 60, 320, 40, 50
COLOURS = ["#1b6ca8", "#c2410c", "#15803d", "#7e22ce", "#b91c1c", "#0e7490", "#a16207", "#4d4d4d"]
SHOWN = ["stats", "candidate", "candidates", "candidates, deep", "rules", "rules, deep", "executions", "executions, deep"]


def text(x, y, words, **attributes):
    more = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f'<text x="{x:.0f}" y="{y:.0f}"{more}>{words}</text>'


def write_plot(path, scales, found, machine):
    """`scales`: (name, executions). One line for each of the main requests; both axes are logarithmic."""
    lines = {what: [found[what][f"{scale} median"]["ms"] for scale, _ in scales] for what in SHOWN if what in found}
    times = [ms for series in lines.values() for ms in series]
    low, high = math.floor(math.log10(min(times))), math.ceil(math.log10(max(times)))
    sizes = [math.log10(count) for _, count in scales]

    def x(size):
        return LEFT + (size - sizes[0]) / (sizes[-1] - sizes[0]) * (WIDTH - LEFT - RIGHT)

    def y(ms):
        return HEIGHT - BOTTOM - (math.log10(ms) - low) / max(high - low, 1) * (HEIGHT - TOP - BOTTOM)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
           text(LEFT, 22, "Time of one request over the size of the data, median partner", font_size=15, font_weight="bold")]
    for power in range(low, high + 1):
        out += [f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(10 ** power):.0f}" y2="{y(10 ** power):.0f}" stroke="#ccc"/>',
                text(LEFT - 6, y(10 ** power) + 4, f"{10 ** power:g} ms", text_anchor="end")]
    for (scale, count), size in zip(scales, sizes, strict=True):
        out.append(text(x(size), HEIGHT - BOTTOM + 20, f"{scale}: {count:,} executions", text_anchor="middle"))
    order = sorted(lines, key=lambda what: -lines[what][-1])
    for place, what in enumerate(order):
        colour = COLOURS[SHOWN.index(what) % len(COLOURS)]
        points = " ".join(f"{x(size):.1f},{y(ms):.1f}" for size, ms in zip(sizes, lines[what], strict=True))
        out += [f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>',
                text(WIDTH - RIGHT + 60, TOP + 20 + 22 * place, f"{what}: {lines[what][0]:.2f} → {lines[what][-1]:.2f} ms", fill=colour)]
    out += [text(LEFT, HEIGHT - 8, f"{machine['processors']} processors, load average {machine['load_average'][0]}, {machine['at'][:10]}",
                 fill="#666", font_size=11), "</svg>", ""]
    path.write_text("\n".join(out), encoding="utf-8")
