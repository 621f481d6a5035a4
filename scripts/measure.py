#!/usr/bin/env python3
"""Runs the commands whose results the documents quote, and keeps their raw output under benches/runs/DATE-WHAT/.

    scripts/measure.py DATA melody retrieval speed      # all three kinds, or some of them
    scripts/measure.py DATA test                        # once for each shipped weights, never to choose by
    scripts/measure.py table benches/runs/DATE-WHAT     # the rows of the documents' tables from a run that is kept

DATA is a folder laid out as docs/evaluation.md says. --qbh names another binary than target/release/qbh, --only NAME picks
single measurements. Every folder gets `run.txt` (machine, commit, commands, seconds) and a JSON file for each measurement;
the outcomes of single hums go gzipped beside it. Paths are written relative to DATA.
"""
import argparse
import datetime
import gzip
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

ESSEN = "melodies/essen_noise.jsonl.gz"
HUMTRANS = "eval retrieval --humtrans hums/humtrans_valid --distractors " + ESSEN + " --transcriber "
MEASUREMENTS = {
    "melody": {
        "vocadito": "eval melody pitch/vocadito",
        "ssvd": "eval melody pitch/ssvd --tolerance 100",
        "ssl_reference": "eval melody pitch/ssl_reference --transpose -5",
        "songs": "eval melody pitch/songs",
    },
    "retrieval": {
        "recordings": f"eval retrieval --hum-charts pitch/songs --hums 600 --seed 5 --distractors library {ESSEN}",
        "melodies": f"eval retrieval --hum-melodies melodies/dev.jsonl.gz --hums 600 --seed 5 --distractors {ESSEN}",
        "humtrans_jdc": HUMTRANS + "JDC-STP",
        "humtrans_vocano": HUMTRANS + "VOCANO",
        "humtrans_mirst": HUMTRANS + "MIR-ST500",
        "mir_qbsh_dev": f"eval retrieval --manifest hums/mir_qbsh/dev.csv --library hums/mir_qbsh/songs --distractors {ESSEN}",
    },
    "test": {
        "mirex05": "eval melody test/mirex05",
    },
}


def machine():
    """What the run's numbers depend on."""
    model, flags = platform.processor() or platform.machine(), ""
    if Path("/proc/cpuinfo").exists():
        info = dict(re.findall(r"^(.+?)\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M))
        model = info.get("model name", model)
        flags = " ".join(f for f in ("avx2", "avx512f", "avx512_bf16") if f in info.get("flags", "").split())
    load = " ".join(f"{x:.1f}" for x in os.getloadavg())
    return f"{model}, {os.cpu_count()} cores ({flags}); load before the run {load}"


def commit():
    git = lambda *args: subprocess.run(["git", *args], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    return git("rev-parse", "--short", "HEAD") + (" and changes" if git("status", "--porcelain", "--untracked-files=no") else "")


def run(qbh, arguments, data, may_fail=()):
    """Standard output, wall-clock seconds, processor seconds, and the most MB of memory."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.monotonic()
        process = subprocess.Popen([qbh, *arguments], cwd=data, stdout=out, stderr=err)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        out.seek(0), err.seek(0)
        if os.waitstatus_to_exitcode(status) not in (0, *may_fail):
            sys.exit(f"qbh {' '.join(arguments)} failed:\n{err.read().decode()}")
        return out.read().decode(), wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000


def evaluate(qbh, data, out, name, arguments):
    output, wall, cpu, _ = run(qbh, [*arguments.split(), "--quiet", "--json"], data)
    report = json.loads(output.replace(f"{data}/", ""))
    queries = report.pop("queries", None)
    (out / f"{name}.json").write_text(json.dumps(report, indent=1) + "\n")
    if queries is not None:
        with gzip.GzipFile(out / f"{name}.queries.json.gz", "w", mtime=0) as file:
            file.write(json.dumps({"schema": report["schema"], "queries": queries}).encode())
    note(out, f"{name}: qbh {arguments} --json    ({wall:.0f} s, {cpu:.0f} CPU s)")


def speed(qbh, data, out, times=3):
    """Whole commands. Wall-clock seconds are the least of some runs; a busy machine disturbs them, processor seconds less."""
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        folder, hum = Path(folder), "demo/hum.wav"
        run(qbh, ["demo", "--dir", str(folder / "demo"), "--quiet"], data)
        index = lambda name: ["--index", str(folder / name)]
        commands = {
            "index 10 songs": (lambda i: [*index(f"ten{i}"), "index", "library"], ()),
            "index again": (lambda i: [*index("ten0"), "index", "library"], ()),
            "query among 10 songs": (lambda i: [*index("ten0"), "query", str(folder / hum)], (1,)),
            "index 5378 melodies": (lambda i: [*index(f"many{i}"), "index", ESSEN, "melodies/dev.jsonl.gz"], ()),
            "query among 5378 melodies": (lambda i: [*index("many0"), "query", str(folder / hum)], (1,)),
        }
        for name, (arguments, may_fail) in commands.items():
            runs = [run(qbh, arguments(i), data, may_fail) for i in range(times)]
            rows[name] = {
                "command": "qbh " + " ".join(arguments(0)).replace(str(folder), "DIR"),
                "wall_seconds": [round(r[1], 3) for r in runs],
                "cpu_seconds": [round(r[2], 3) for r in runs],
                "peak_mb": max(round(r[3]) for r in runs),
            }
            note(out, f"{name}: {rows[name]['command']}")
    (out / "speed.json").write_text(json.dumps(rows, indent=1) + "\n")


def note(out, line):
    print(line, flush=True)
    with open(out / "run.txt", "a") as file:
        file.write(line + "\n")


def digits(value):
    return f"{value:.3f}".removeprefix("0")


def figure(score):
    """`.918 (.877-.946)`."""
    return f"{digits(score['mean'])} ({digits(score['low'])}-{digits(score['high'])})"


def table(folder):
    """Rows for the tables of the documents."""
    for path in sorted(folder.glob("*.json")):
        report = json.loads(path.read_text())
        schema = report.get("schema", "")
        if schema.startswith("qbh.eval.melody"):
            cells = [figure(report["mean"][k]) for k in ("vr", "vfa", "rpa", "rca", "oa")]
            print("|", " | ".join([path.stem, str(report["n"]), *cells]), "|")
            for file in report["files"] if report["n"] <= 9 else []:
                values = ["-" if file[k] is None else digits(file[k]) for k in ("vr", "vfa", "rpa", "rca", "oa")]
                print("|   ", " | ".join([file["file"], *values]), "|")
        elif schema.startswith("qbh.eval.retrieval"):
            sure = report["confidence"]
            cells = [figure(report[k]) for k in ("top1", "top10", "mrr")]
            cells += ["/".join(digits(report["votes"][k]["mean"]) for k in ("top1", "top10", "mrr"))]
            cells += ["/".join(digits(x) for x in report["recall_at"].values())]
            cells += [digits(sure[k]) for k in ("auroc", "ece", "false_alarms")]
            print("|", " | ".join([path.stem, str(report["n"]), str(report["songs"]), *cells]), "|")
        else:
            for name, row in report.items():
                print("|", " | ".join([name, str(min(row["wall_seconds"])), str(min(row["cpu_seconds"])), str(row["peak_mb"])]), "|")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA", help="folder with the data sets, or `table`")
    parser.add_argument("what", nargs="+", help="melody, retrieval, speed, test; or the folder of a run")
    parser.add_argument("--qbh", type=Path, default=ROOT / "target/release/qbh")
    parser.add_argument("--commit", default=commit(), help="what the binary was built from [default: what is checked out]")
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    args = parser.parse_args()
    if str(args.data) == "table":
        return [table(Path(folder)) for folder in args.what] and None
    data, qbh = args.data.resolve(), args.qbh.resolve()
    for what in args.what:
        out = ROOT / "benches/runs" / f"{datetime.date.today()}-{what}"
        out.mkdir(parents=True, exist_ok=True)
        note(out, f"# {datetime.datetime.now():%Y-%m-%d %H:%M}, commit {args.commit}, {machine()}")
        if what == "speed":
            speed(qbh, data, out)
        for name, arguments in MEASUREMENTS.get(what, {}).items():
            if not args.only or name in args.only:
                evaluate(qbh, data, out, name, arguments)


if __name__ == "__main__":
    main()
