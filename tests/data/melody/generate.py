"""Makes golden.json: melody pairs and their scores by mir_eval 0.8.2 (pip install mir_eval==0.8.2)."""
import json
import warnings

import mir_eval
import numpy as np

warnings.simplefilter("ignore")
rng = np.random.default_rng(7)
cases = []
for i in range(24):
    hop_ref, hop_est = rng.choice([0.01, 0.0058, 0.02, 0.0232], 2)
    start_ref, start_est = (0.0 if i % 3 else 0.013), (0.0 if i % 4 else 0.007)
    if i == 0:
        hop_est, start_est = hop_ref, start_ref
    if i >= 20:  # Melodia's and MIR-1K's frames
        hop_ref, hop_est = 0.02, 128 / 44100
    length = rng.uniform(0.8, 2.0)
    ref_time = np.round(start_ref + np.arange(int(length / hop_ref)) * hop_ref, 6)
    est_time = np.round(start_est + np.arange(int((length + rng.uniform(-0.2, 0.2)) / hop_est)) * hop_est, 6)
    melody = lambda t: 220 * 2 ** (np.floor(3 * t + i) % 7 / 12 + 0.02 * np.sin(30 * t))
    ref_freq = melody(ref_time)
    est_freq = melody(est_time) * 2 ** (rng.normal(0, 0.3, len(est_time)) / 12)
    est_freq *= rng.choice([0.5, 1, 1, 1, 1, 2], len(est_freq))
    for freq, time in ((ref_freq, ref_time), (est_freq, est_time)):
        freq[np.sin(9 * time + rng.uniform(0, 6)) > 0.6] = 0
        guess = np.sin(13 * time + rng.uniform(0, 6)) > 0.8
        freq[guess] = -freq[guess]
    if i == 5:
        est_freq[:] = 0
    if i == 6:
        ref_freq[:] = 0
    if i == 17:  # guesses only
        est_freq = -abs(est_freq)
    if i == 18:  # a guess in every unvoiced frame
        est_freq[est_freq == 0] = -220
    ref_freq, est_freq = np.round(ref_freq, 4), np.round(est_freq, 4)
    scores = list(mir_eval.melody.evaluate(ref_time, ref_freq.copy(), est_time, est_freq.copy()).values())
    cases.append(dict(ref_time=ref_time.tolist(), ref_freq=ref_freq.tolist(), est_time=est_time.tolist(),
                      est_freq=est_freq.tolist(), scores=[float(s) for s in scores]))
json.dump(cases, open("golden.json", "w"), separators=(",", ":"))
