"""Runs published melody and pitch trackers on a folder of recordings and writes pitch files that `qbh eval melody` scores.

    python -m venv venv && venv/bin/pip install -r requirements.txt        (ffmpeg must be installed too)
    venv/bin/python track.py {melodia,pyin,swiftf0} RECORDINGS OUT
    qbh eval melody RECORDINGS --estimates OUT

Every tracker runs with the settings its package proposes. A pitch that it proposes for an unvoiced frame is written as a
negative f0, as `mir_eval` and MIREX have it.
"""
import argparse
import csv
import subprocess
import time
from pathlib import Path

import numpy as np

AUDIO = {".wav", ".flac", ".mp3", ".ogg", ".m4a", ".mp4", ".opus"}


def load(path, rate):
    """Mono samples, by ffmpeg."""
    command = ["ffmpeg", "-v", "error", "-i", path, "-vn", "-ac", "1", "-ar", str(rate), "-f", "f32le", "-"]
    return np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, np.float32).copy()


def melodia(path):
    """Salamon & Gomez 2012, as in essentia: once as it is, once asked for the pitch of unvoiced frames."""
    import essentia

    essentia.log.infoActive = essentia.log.warningActive = False
    import essentia.standard as standard

    samples = standard.EqualLoudness()(load(path, 44100))
    run = lambda guess: abs(standard.PredominantPitchMelodia(guessUnvoiced=guess)(samples)[0])
    f0, guess = run(False), run(True)
    return np.arange(len(f0)) * 128 / 44100, np.where(f0 > 0, f0, -guess), None


def pyin(path):
    """Mauch & Dixon 2014, as in librosa."""
    import librosa

    rate, hop = 22050, 512
    f0, voiced, probability = librosa.pyin(load(path, rate), sr=rate, hop_length=hop, fmin=65.4, fmax=2093.0, fill_na=None)
    return np.arange(len(f0)) * hop / rate, np.where(voiced, f0, -f0), probability


def swiftf0(path):
    """Nieradzik 2025."""
    from swift_f0 import SwiftF0

    # Voiced from a confidence of one half on, as its authors calibrate it.
    result = SwiftF0(threads=1).detect(load(path, 16000), 16000)
    f0 = np.where(result.confidence >= 0.5, result.pitch_hz, -result.pitch_hz)
    return result.timestamps, f0, np.clip(result.confidence, 0, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tracker", choices=["melodia", "pyin", "swiftf0"])
    parser.add_argument("recordings", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    track = {"melodia": melodia, "pyin": pyin, "swiftf0": swiftf0}[args.tracker]
    for path in sorted(p for p in args.recordings.iterdir() if p.suffix.lower() in AUDIO):
        began = time.process_time()
        times, f0, voicing = track(path)
        with open(args.out / f"{path.stem}.csv", "w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["time", "f0"] if voicing is None else ["time", "f0", "voicing"])
            columns = [times, f0] if voicing is None else [times, f0, voicing]
            rows.writerows([f"{x:.5f}" for x in row] for row in zip(*columns))
        print(f"{path.name}: {times[-1]:.0f} s of audio, {time.process_time() - began:.1f} s of CPU", flush=True)


if __name__ == "__main__":
    main()
