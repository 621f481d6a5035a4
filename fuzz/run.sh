#!/usr/bin/env bash
# Fuzzes every parser of bytes from outside, in turn, on stable Rust: coverage by LLVM's own pass, no sanitizer, overflow checks on.
#   fuzz/run.sh build                       the targets, into fuzz/target
#   fuzz/run.sh seeds ZOO CORPUS            seeds: tests/data, and the files of a zoo (scripts/zoo.sh) made of a recording of half a second
#   fuzz/run.sh run CORPUS SECONDS [ROUNDS] each target for so many seconds, in turn; a line a slice in CORPUS/log.tsv: target, executions, seconds, new units
# A target that panics, takes more than 512 MB, or more than 5 s for an input, ends the run with the input in CORPUS/artifacts.
set -euo pipefail
cd "$(dirname "$0")"
host=$(rustc -vV | sed -n 's/^host: //p')
targets=$(cd fuzz_targets && ls *.rs | sed 's/\.rs$//')
bin=${CARGO_TARGET_DIR:-target}/$host/release

case $1 in
build)
    export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Cdebug-assertions -Clink-dead-code"
    cargo build --release --target "$host" --bins
    ;;
seeds)
    zoo=$(realpath "$2")
    mkdir -p "$3" && cd "$3"
    for target in $targets; do mkdir -p "$target"; done
    data=$OLDPWD/../tests/data
    cp "$data"/scores/*.{mid,rmi} midi/ && cp "$data"/scores/*.musicxml musicxml/ && cp "$data"/scores/*.abc abc/ && cp "$data"/scores/*.krn kern/
    printf '{"id":"a","unit":"quarter","notes":[[1,2,60],[3,1,62.5]]}\n{"notes":[[0,1,60]]}\n' | tee json_lines/plain | gzip > json_lines/packed
    printf '#TITLE:a\n#BPM:150,5\n#GAP:100\n#RELATIVE:YES\n#ENCODING:CP1252\nP1\n: 0 5 0 La\n* 5 5 -2 la\nF 10 5 0 x\n- 18 20\n: 2 10 -5 lo\nP2\n: 3 4 5 z\nE\n' > ultrastar/chart
    printf 'onset,offset,pitch\n0.5,1.0,C4\n1.0,1.5,62\n' > note_list/named
    printf '0.5 1.0 60\n1.0 1.5 62.5\n' > note_list/plain
    printf '0, 0, Header, 1, 2, 480\n1, 0, Tempo, 500000\n2, 480, Note_on_c, 0, 60, 81\n2, 960, Note_off_c, 0, 60, 0\n' > note_list/events
    printf '0.00 220.0\n0.01 221.5\n' > pitch_rows/plain
    printf 'time,f0,confidence\n0.00,220,0.9\n0.01,nan,0.2\n' > pitch_rows/named
    printf '60.5\n0\n61\n' > pitch_pv/plain
    printf '{"format":"qbh-pitch","version":1,"hop":0.01,"f0":[220,-220,0],"voicing":[1,0,0]}\n' > pitch_json/plain
    printf '\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01]q\x02(K\x01J\xfe\xff\xff\xffM\x2c\x01eX\x01\x00\x00\x00bq\x03N\x88G?\xe0\0\0\0\0\0\0\x87q\x04ucos\nsystem\nX\x01\0\0\0x\x85R.' > pickle/plain
    cp "$zoo"/*.wav "$zoo"/*.w64 audio_wav/ && rm -f audio_wav/many.wav
    cp "$zoo"/*.mp3 "$zoo"/*.mp2 "$zoo"/*.aac audio_mpeg/ && cp "$zoo"/*.flac audio_flac/
    cp "$zoo"/*.og[ga] "$zoo"/*.opus audio_ogg/ && cp "$zoo"/*.m4a "$zoo"/*.mp4 "$zoo"/*.mov "$zoo"/*.3gp audio_mp4/
    cp "$zoo"/*.au "$zoo"/*.aif* "$zoo"/*.caf "$zoo"/*.webm "$zoo"/*.mka audio_other/
    ;;
run)
    bin=$(realpath "$bin")
    cd "$2"
    mkdir -p artifacts
    for _ in $(seq "${4:-1}"); do
        for target in $targets; do
            "$bin/$target" "$target" -max_total_time="$3" -rss_limit_mb=512 -timeout=5 -max_len=65536 -print_final_stats=1 -verbosity=0 \
                -artifact_prefix="artifacts/$target-" > last.log 2>&1 || { echo "$target failed"; tail -40 last.log; exit 1; }
            awk -v target="$target" '/number_of_executed_units/ { runs = $2 } /new_units_added/ { new = $2 } /peak_rss_mb/ { peak = $2 }
                END { printf "%s\t%d\t%d\t%d\n", target, runs, new, peak }' last.log >> log.tsv
        done
    done
    ;;
esac
