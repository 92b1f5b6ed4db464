"""Tables for people: figures, verdicts, and what moved since an earlier run."""
from measuring import reads, writes

MOVED = 0.05  # less than that is noise


def print_result(result):
    machine = result["machine"]
    print(f"Scale {result['scale']}, {result['mode']} mode, medians of {result['rounds']} rounds of {result['seconds']} s, "
          f"{machine['processors']} processors, load average {machine['load_average'][0]} before and "
          f"{result['load_average_after'][0]} after, commit {machine['commit']}\n")
    if result["rows"]:
        reads.print_rows(result["rows"])
    if result["writes"]:
        print()
        writes.print_rows(result["writes"])
    print(f"\n{'target':<60}{'figure':>8}{'target':>10}  met")
    for one in result["verdicts"]:
        print(f"{one['what']:<60}{one['figure']:>8.2f}{one['sign'] + ' ' + format(one['target'], 'g'):>10}  {'yes' if one['met'] else 'NO'}")
    met = sum(one["met"] for one in result["verdicts"])
    print(f"\n{met} of {len(result['verdicts'])} targets met. Not measured here: ./test/bench scales, engine, memory, appliances, lighthouse")


def figures(result):
    """{name: figure} of a run: the verdicts' ratios, which a machine's drift leaves alone, and the rates themselves."""
    found = {one["what"]: one["figure"] for one in result["verdicts"]}
    for row in result["rows"]:
        for count, one in row["connections"].items():
            found[f"{row['endpoint']}, {row['partner']} partner: requests/s at {count}"] = one["rate"]
    for row in result["writes"]:
        found[f"{row['what']}: a second"] = row["rate"]
    return found


def print_comparison(earlier, result):
    print(f"\nSince {earlier['machine']['commit']} of {earlier['machine']['at']}, scale {earlier['scale']} "
          f"(rates drift with the machine; ratios less so):")
    if earlier["scale"] != result["scale"]:
        print(f"  the scale is another one now, {result['scale']}")
    before, now = figures(earlier), figures(result)
    moved = [(what, before[what], now[what]) for what in now if what in before
             and before[what] and abs(now[what] / before[what] - 1) > MOVED]
    for what, old, new in moved:
        print(f"  {what:<62}{old:>10.2f} → {new:<10.2f}{new / old - 1:>+7.0%}")
    if not moved:
        print(f"  nothing by more than {MOVED:.0%}")
    for what in sorted(before.keys() ^ now.keys()):
        print(f"  {'only now' if what in now else 'only then'}: {what}")
