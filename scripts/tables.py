#!/usr/bin/env python3
"""Renews the tables of the documents from the raw output below benches/runs/, as scripts/measure.py leaves it.

A table stands between `<!-- measured NAME -->` and `<!-- end -->`; NAME is one of TABLES below. Of several runs the latest
that holds a measurement counts.
"""
import gzip
import json
import os
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ["README.md", "models/README.md", "docs/evaluation.md", "docs/performance.md"]

EXTRACTION = {
    "vocadito": "one solo singer (vocadito)",
    "ssvd": "sight-singing takes (ssvd), notes, within 100 cents",
    "ssl_reference": "two clips against the published SSL network's output, moved by -5 semitones",
    "songs": "pop and rock songs against karaoke charts, read as they are",
}
HUMS = {
    "mir_qbsh_dev": "MIR-QBSH `dev.csv`, hums of people, pitch given",
    "humtrans_jdc": "HumTrans validation, hums of people, notes by JDC-STP",
    "humtrans_vocano": "the same, notes by VOCANO",
    "humtrans_mirst": "the same, notes by MIR-ST500",
    "recordings": "simulated hums of six pop and rock recordings",
    "melodies": "simulated hums of unseen melodies",
}


def latest(name):
    """The newest run that holds a measurement: its folder and its report."""
    found = sorted((ROOT / "benches/runs").glob(f"*/{name}.json"))
    return (found[-1].parent, json.loads(found[-1].read_text())) if found else None


def digits(value):
    return "-" if value is None else f"{value:.3f}".replace("0.", ".", 1)


def count(report):
    """`600 of 6 songs`, where the interval resamples songs or singers."""
    unit, units = report.get("unit", "recording"), report.get("units", report["n"])
    return report["n"] if unit == "recording" or units == report["n"] else f"{report['n']} of {units} {unit}s"


def figure(score):
    """`.918 (.877-.946)`; no interval of a single value."""
    if score["low"] == score["high"]:
        return digits(score["mean"])
    return f"{digits(score['mean'])} ({digits(score['low'])}-{digits(score['high'])})"


def rows(names, cells):
    """A row for every measurement that is there, and the folders that they come from."""
    out, folders = [], []
    for name, label in names.items():
        if run := latest(name):
            folders.append(run[0])
            out.append([label, *cells(run[1])])
    return out, folders


def extraction():
    def cells(report):
        charts = any("pitch/songs" in file["file"] for file in report["files"])
        scores = [figure(report["mean"][k]) for k in ("vr", "vfa", "rpa", "rca", "oa")]
        return [count(report), *scores[:2], "-" if charts else scores[2], *scores[3:]]

    return ["development set", "n", "VR", "VFA", "RPA", "RCA", "OA"], *rows(EXTRACTION, cells)


def retrieval():
    def cells(report):
        sure = report["confidence"]
        # Reports that name no unit are of versions whose intervals are too narrow.
        score = figure if "unit" in report else (lambda score: digits(score["mean"]))
        scores = [score(report[k]) for k in ("top1", "top10", "mrr")]
        return [count(report), report["songs"], *scores, *(digits(sure[k]) for k in ("auroc", "ece", "false_alarms"))]

    header = ["development set", "hums", "songs", "top-1", "top-10", "MRR", "AUROC", "calibration error", "false alarms"]
    return header, *rows(HUMS, cells)


def stages():
    def cells(report):
        votes = [digits(report["votes"][k]["mean"]) for k in ("top1", "top10", "mrr")]
        return ["/".join(votes), *(digits(report["recall_at"][k]) for k in ("50", "100", "200"))]

    return ["development set", "by votes alone: top-1/top-10/MRR", "among 50", "among 100", "among 200"], *rows(HUMS, cells)


def songs():
    """The `recordings`, song by song."""
    run = latest("recordings")
    if not run:
        return [], [], []
    ranks = defaultdict(list)
    for query in json.loads(gzip.decompress((run[0] / "recordings.queries.json.gz").read_bytes()))["queries"]:
        ranks[re.sub(r"[ #:/]*\d+$", "", query["query"])].append(query["rank"] or float("inf"))
    mean = lambda values: digits(sum(values) / len(values))
    body = [[song.replace("_", " "), len(r), mean([x <= 1 for x in r]), mean([x <= 10 for x in r])] for song, r in sorted(ranks.items())]
    return ["song", "hums", "top-1", "top-10"], body, [run[0]]


def speed():
    run = latest("speed")
    if not run:
        return [], [], []
    body = [
        [name, min(row["wall_seconds"]), min(row["cpu_seconds"]), row["peak_mb"], f"`{row['command']}`"]
        for name, row in run[1].items()
    ]
    return ["what", "seconds", "CPU seconds", "MB at most", "command"], body, [run[0]]


def bench():
    """The output of `cargo bench --bench stages`, as it is."""
    found = sorted((ROOT / "benches/runs").glob("*/stages.txt"))
    return (found[-1].read_text().strip(), [found[-1].parent]) if found else ("", [])


TABLES = {f.__name__: f for f in (extraction, retrieval, stages, songs, speed)}


def render(name, document):
    if name == "bench":
        body, folders = bench()
        table = f"```\n{body}\n```\n"
    else:
        header, body, folders = TABLES[name]()
        table = "".join("| " + " | ".join(map(str, line)) + " |\n" for line in [header, ["---"] * len(header), *body])
    if not body:
        return "Not measured with this version yet.\n"
    links = ", ".join(f"[{f.name}]({os.path.relpath(f, document.parent)})" for f in sorted(set(folders)))
    return f"{table}\nRaw output: {links}.\n"


def main():
    for document in (ROOT / name for name in DOCUMENTS):
        block = re.compile(r"(<!-- measured (\w+) -->\n).*?(<!-- end -->)", re.S)
        text = document.read_text()
        new = block.sub(lambda m: m[1] + render(m[2], document) + m[3], text)
        if new != text:
            document.write_text(new)
            print(f"{document.relative_to(ROOT)} renewed")


if __name__ == "__main__":
    main()
