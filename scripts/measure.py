#!/usr/bin/env python3
"""Runs the commands whose results the documents quote, and keeps their raw output under benches/runs/DATE-WHAT/.

    scripts/measure.py DATA melody retrieval            # development sets
    scripts/measure.py DATA speed stages                # on a quiet machine: whole commands, and `cargo bench --bench stages`
    scripts/measure.py DATA test                        # once for each shipped weights, never to choose by
    scripts/tables.py                                   # renews the tables of the documents

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


def evaluate(qbh, data, out, name, arguments, role):
    output, wall, cpu, _ = run(qbh, [*arguments.split(), "--role", role, "--quiet", "--json"], data)
    report = json.loads(output.replace(f"{data}/", ""))
    queries = report.pop("queries", None)
    (out / f"{name}.json").write_text(json.dumps(report, indent=1) + "\n")
    if queries is not None:
        with gzip.GzipFile(out / f"{name}.queries.json.gz", "w", mtime=0) as file:
            file.write(json.dumps({"schema": report["schema"], "queries": queries}).encode())
    note(out, f"{name}: qbh {arguments} --role {role} --json    ({wall:.0f} s, {cpu:.0f} CPU s)")


def speed(qbh, data, out, times=3):
    """Whole commands. Wall-clock seconds are the least of some runs; a busy machine disturbs them, processor seconds less."""
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        folder, hum = Path(folder), "demo/hum.wav"
        run(qbh, ["demo", "--dir", str(folder / "demo"), "--quiet"], data)
        index = lambda name: ["--index", str(folder / name)]
        commands = {
            "index 10 mp3 songs, 27 minutes": (lambda i: [*index(f"ten{i}"), "index", "library"], ()),
            "the same again, nothing changed": (lambda i: [*index("ten0"), "index", "library"], ()),
            "query a hum of 9 s among 10 songs": (lambda i: [*index("ten0"), "query", str(folder / hum)], (1,)),
            "query the same hum among 5378 melodies": (lambda i: [*index("many"), "query", str(folder / hum)], (1,)),
        }
        run(qbh, [*index("many"), "index", ESSEN, "melodies/dev.jsonl.gz"], data)
        for name, (arguments, may_fail) in commands.items():
            runs = [run(qbh, arguments(i), data, may_fail) for i in range(times)]
            rows[name] = {
                "command": "qbh " + " ".join(arguments(0)).replace(str(folder), "DIR"),
                "wall_seconds": [round(r[1], 3) for r in runs],
                "cpu_seconds": [round(r[2], 3) for r in runs],
                "peak_mb": max(round(r[3]) for r in runs),
            }
            note(out, f"{name}: {rows[name]['command']}    ({times} times)")
    (out / "speed.json").write_text(json.dumps(rows, indent=1) + "\n")


def stages(out):
    command = ["cargo", "bench", "--locked", "--bench", "stages"]
    (out / "stages.txt").write_text(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout)
    note(out, " ".join(command))


def note(out, line):
    print(line, flush=True)
    with open(out / "run.txt", "a") as file:
        file.write(line + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA", help="folder with the data sets")
    parser.add_argument("what", nargs="+", choices=["melody", "retrieval", "speed", "stages", "test"])
    parser.add_argument("--qbh", type=Path, default=ROOT / "target/release/qbh")
    parser.add_argument("--commit", default=commit(), help="what the binary was built from [default: what is checked out]")
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    args = parser.parse_args()
    data, qbh = args.data.resolve(), args.qbh.resolve()
    for what in args.what:
        out = ROOT / "benches/runs" / f"{datetime.date.today()}-{what}"
        out.mkdir(parents=True, exist_ok=True)
        note(out, f"# {datetime.datetime.now():%Y-%m-%d %H:%M}, commit {args.commit}, {machine()}")
        if what == "speed":
            speed(qbh, data, out)
        if what == "stages":
            stages(out)
        for name, arguments in MEASUREMENTS.get(what, {}).items():
            if not args.only or name in args.only:
                evaluate(qbh, data, out, name, arguments, "test" if what == "test" else "development")


if __name__ == "__main__":
    main()
