#!/usr/bin/env bash
# Trains all extractors side by side on one machine with a CUDA device: made for a quarter of an hour of a large GPU with 16 cores.
#
#   scripts/train_all.sh DATA OUT MINUTES
#
# DATA may hold melodies.jsonl.gz, soundfonts/*.sf2, speech/, instruments/ (scripts/training_audio.sh) and multitracks/ (MIR-1K's
# layout); what is missing is made up. OUT gets a folder for each network: weights, learning curve, checkpoint, log.
#
# QBH      the binary, `qbh` of the PATH unless said; with the Python package torch its libtorch is used
# DEVICE   cuda, or cpu for a rehearsal
# STEPS    steps instead of minutes, likewise
# ONLY     some of "harmonic-s harmonic-m ssl jdc multidnn multidnn-rnn ah1"
# OPTIONS  passed to every training: --f32
set -euo pipefail
[ $# = 3 ] || { sed -n '2,14s/^# \{0,1\}//p' "$0" >&2; exit 2; }
DATA=$1 OUT=$2 MINUTES=$3
QBH=${QBH:-qbh} DEVICE=${DEVICE:-cuda} STEPS=${STEPS:-} ONLY=${ONLY:-harmonic-s harmonic-m ssl jdc multidnn multidnn-rnn ah1}
BATCH=${BATCH:-24} PIECES=${PIECES:-300}
mkdir -p "$OUT"

if [ "$DEVICE" = cuda ]; then
    torch=$(python3 -c 'import os, torch; print(os.path.join(os.path.dirname(torch.__file__), "lib"))' 2>/dev/null || true)
    [ -z "$torch" ] || export LD_LIBRARY_PATH=$torch${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    nvidia-smi --query-gpu=name,memory.total --format=csv,noheader
fi

studio=(--pieces "$PIECES" --stems "$OUT/stems")
[ ! -e "$DATA/melodies.jsonl.gz" ] || studio+=(--melodies "$DATA/melodies.jsonl.gz")
[ ! -d "$DATA/soundfonts" ] || studio+=(--soundfont "$DATA"/soundfonts/*.sf2)
[ ! -d "$DATA/speech" ] || studio+=(--speech "$DATA/speech")
[ ! -d "$DATA/instruments" ] || studio+=(--accompaniment "$DATA/instruments")
voices=()
[ ! -d "$DATA/multitracks" ] || voices+=(--multitracks "$DATA/multitracks" --multitrack-share 0.45)

# The pieces are rendered once, on all cores.
"$QBH" train extractor --steps 0 --threads "$(nproc)" "${studio[@]}" --out "$OUT/first"

# train NETWORK THREADS SHARE-OF-THE-TIME OPTIONS...
train() {
    local name=$1 threads=$2 share=$3 budget
    shift 3
    case " $ONLY " in *" $name "*) ;; *) return 0 ;; esac
    budget=(--hours "$(awk "BEGIN { print $MINUTES * $share / 60 }")")
    [ -z "$STEPS" ] || budget=(--steps "$STEPS")
    mkdir -p "$OUT/$name"
    # shellcheck disable=SC2086
    "$QBH" train extractor --arch "$name" "${budget[@]}" --threads "$threads" --batch "$BATCH" --device "$DEVICE" ${OPTIONS:-} \
        "${studio[@]}" "${voices[@]}" "$@" --out "$OUT/$name" > "$OUT/$name/log" 2>&1 ||
        { echo "$name: failed"; tail -n 3 "$OUT/$name/log"; return 1; }
    echo "$name: $(grep -a 'step' "$OUT/$name/log" | tail -n 1)"
}

lanes=()
lane() { "$@" & lanes+=($!); }
two_stages() {
    train multidnn 2 0.62 || return 1
    train multidnn-rnn 2 0.3 --from "$OUT/multidnn/multidnn.safetensors"
}
lane train harmonic-s 3 1 --from harmonic-s --rate 2e-3
lane train harmonic-m 3 1
lane train ssl 3 1
lane train jdc 3 1
lane two_stages
lane train ah1 2 1
status=0
for lane in "${lanes[@]}"; do wait "$lane" || status=1; done
exit $status
