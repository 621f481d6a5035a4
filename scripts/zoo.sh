#!/usr/bin/env bash
# Wraps one recording in every kind of file that people have, with ffmpeg, sox and opusenc, and some that no program should have written.
#   scripts/zoo.sh RECORDING.wav FOLDER
# FOLDER/zoo.tsv then says of each file: name, kind, title ("-" where it has none), and the seconds that ffmpeg decodes ("refused" where qbh says how to
# convert it; "cut" before the seconds where a part is missing).
set -euo pipefail
in=$(realpath "$1")
mkdir -p "$2"
cd "$2"
: > zoo.tsv
title="Zoo Söng"

seconds() { # FILE: what ffmpeg decodes of its first audio stream
    local bytes
    bytes=$(ffmpeg -v quiet -i "$1" -map 0:a:0 -ac 1 -ar 48000 -f s16le - < /dev/null | wc -c)
    awk "BEGIN { printf \"%.4f\", $bytes / 96000 }"
}
row() { printf '%s\t%s\t%s\t%s\n' "$@" >> zoo.tsv; }
heard() { row "$1" "$2" "$3" "$(seconds "$1")"; }       # FILE KIND TITLE
as() { row "$1" "$2" "$3" "$(seconds "$4")"; }          # FILE KIND TITLE FILE-OF-THE-SAME-LENGTH, where ffmpeg is stricter
ff() { # FILE KIND TITLE ARGUMENTS...: encoded by ffmpeg
    local file=$1 kind=$2 name=$3
    shift 3
    ffmpeg -v error -y -i "$in" -metadata title="$title" "$@" "$file" < /dev/null
    heard "$file" "$kind" "$name"
}
patch() { printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; } # FILE OFFSET BYTES
number() { printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24 & 255)); }

# WAV and its kin
for codec in u8 s16le s24le s32le f32le f64le alaw mulaw; do ff "pcm_$codec.wav" "WAV, $codec" "$title" -c:a "pcm_$codec"; done
ff adpcm_ms.wav "WAV, ADPCM of Microsoft" "$title" -c:a adpcm_ms
ff adpcm_ima.wav "WAV, ADPCM of the IMA" "$title" -c:a adpcm_ima_wav
ff mp3_in.wav "WAV, MP3 inside" "$title" -c:a libmp3lame -f wav
ff rf64.wav "RF64" "$title" -rf64 always
cp rf64.wav bw64.wav && patch bw64.wav 0 BW64 && as bw64.wav "BW64" "$title" rf64.wav
ff wave64.w64 "Wave64" - -f w64
sox "$in" -B rifx.wav && heard rifx.wav "RIFX" -
sox "$in" many.wav remix $(yes 1 | head -64) && as many.wav "WAV, 64 channels" - rifx.wav
sox "$in" -r 48000 inverted.wav remix 1 1v-1 && as inverted.wav "WAV, channels that cancel" - pcm_s16le.wav
ffmpeg -v error -i "$in" -f wav - < /dev/null > piped.wav && heard piped.wav "WAV from a pipe, sizes -1" -
sox "$in" plain.wav && size=$(stat -c %s plain.wav) && heard plain.wav "WAV" -
cp plain.wav unfilled.wav && patch unfilled.wav 4 '\x24\0\0\0' && patch unfilled.wav 40 '\0\0\0\0' && as unfilled.wav "WAV, sizes never filled in" - plain.wav
cp plain.wav short.wav && patch short.wav 4 "$(number $((size - 16)))" && as short.wav "WAV, outer size 8 short" - plain.wav
cp plain.wav long.wav && patch long.wav 40 "$(number $((size + 100000)))" && row long.wav "WAV, size too long" - "cut $(seconds plain.wav)"
head -c $((size / 2)) plain.wav > cut.wav && row cut.wav "WAV, cut in the middle" - "cut $(seconds cut.wav)"
ff au_s16.au "AU" - -c:a pcm_s16be
ff au_mulaw.au "AU, mulaw" - -c:a pcm_mulaw
cp au_s16.au unknown.au && patch unknown.au 8 '\xff\xff\xff\xff' && as unknown.au "AU, size -1" - au_s16.au
ff aiff.aiff "AIFF" "$title"
ff aifc_sowt.aifc "AIFF-C, little-endian" "$title" -f aiff -c:a pcm_s16le
ff aifc_fl32.aifc "AIFF-C, floats" "$title" -f aiff -c:a pcm_f32be
ff aifc_alaw.aifc "AIFF-C, alaw" "$title" -f aiff -c:a pcm_alaw
for codec in s16be s24le f32be mulaw; do ff "caf_$codec.caf" "CAF, $codec" "$title" -c:a "pcm_$codec"; done
ff caf_alac.caf "CAF, ALAC" "$title" -c:a alac
ffmpeg -v error -i "$in" -f caf - < /dev/null > piped.caf && as piped.caf "CAF from a pipe, size -1" - caf_s16be.caf

# MPEG audio
ff cbr.mp3 "MP3" "$title" -b:a 128k
ff vbr.mp3 "MP3, VBR" "$title" -q:a 4
ff id3v23.mp3 "MP3, ID3v2.3 and v1" "$title" -id3v2_version 3 -write_id3v1 1
ff ape.mp3 "MP3, APE tag" - -write_apetag 1 -id3v2_version 0
ff bare.mp3 "MP3, no header" - -write_xing 0 -id3v2_version 0 -map_metadata -1
ff mono8.mp3 "MP3, 8 kHz" "$title" -ar 8000 -ac 1
lame --quiet -b 96 "$in" lame.mp3 && heard lame.mp3 "MP3 by LAME" -
ff two.mp2 "MP2" - -c:a mp2
cat bare.mp3 bare.mp3 > joined.mp3 && heard joined.mp3 "MP3, two joined" -
head -c $(($(stat -c %s bare.mp3) / 2)) bare.mp3 > cut.mp3 && heard cut.mp3 "MP3, cut in the middle" -

# FLAC
ff flac.flac "FLAC" "$title"
ff flac24.flac "FLAC, 24 bits" "$title" -sample_fmt s32
# A block of comments without any, and a cue sheet that says nothing, before the frames.
frames=$(ffmpeg -v error -i "$in" -map_metadata -1 -f flac -write_header 0 - < /dev/null 2> /dev/null | wc -c)
{ head -c 42 flac.flac | sed 's/^fLaC./fLaC\x00/'; printf '\x04\0\0\0\x85\0\0\x04abcd'; tail -c "$frames" flac.flac; } > odd.flac
as odd.flac "FLAC, blocks that make no sense" - flac.flac
{ head -c 30000 vbr.mp3 | head -c 45 > /dev/null; printf 'ID3\x04\0\0\0\0\0\x0a\0\0\0\0\0\0\0\0\0\0'; cat flac.flac; } > id3.flac && as id3.flac "FLAC behind an ID3 tag" "$title" flac.flac

# Ogg, WebM, Matroska
ff vorbis.ogg "Ogg Vorbis" "$title" -c:a libvorbis
ff flac.oga "Ogg FLAC" "$title" -c:a flac
ff opus.opus "Opus" "$title" -c:a libopus -b:a 32k
ff voice.ogg "Opus of a messenger, 16 kHz, 60 ms" "$title" -c:a libopus -b:a 16k -frame_duration 60 -application voip -ac 1
for size in 2.5 20 60; do opusenc --quiet --framesize $size --title "$title" "$in" "enc$size.opus" && heard "enc$size.opus" "Opus by opusenc, $size ms" "$title"; done
cat vorbis.ogg vorbis.ogg > chained.ogg && heard chained.ogg "Ogg, two chained" "$title"
ff opus.webm "WebM, Opus" "$title" -c:a libopus
ff vorbis.webm "WebM, Vorbis" "$title" -c:a libvorbis
ffmpeg -v error -i "$in" -c:a libopus -f webm - < /dev/null > browser.webm && heard browser.webm "WebM of a browser, no length" -
ff aac.mka "Matroska, AAC" "$title" -c:a aac

# MP4 and AAC
ff aac.m4a "M4A, AAC" "$title" -c:a aac
ff fast.m4a "M4A, table first" "$title" -c:a aac -movflags +faststart
ff fragments.mp4 "MP4, fragmented" "$title" -c:a aac -movflags +frag_keyframe+empty_moov
ff alac.m4a "M4A, ALAC" "$title" -c:a alac
ff quick.mov "QuickTime" - -c:a aac
ff phone.3gp "3GP, AAC" - -c:a aac -ar 16000 -ac 1
ff adts.aac "AAC with ADTS headers" - -c:a aac
ffmpeg -v error -i "$in" -f lavfi -i testsrc=size=64x64:rate=5 -shortest -c:v mpeg4 -c:a aac film.mp4 < /dev/null && heard film.mp4 "MP4 with a picture" -
head -c $(($(stat -c %s fast.m4a) * 2 / 5)) fast.m4a > cut.m4a && row cut.m4a "M4A, table first, cut" "$title" "cut $(seconds cut.m4a)"

# What is told how to convert
refuse() { row "$1" "$2" - refused; }
ffmpeg -v error -i "$in" -c:a aac -f mpegts stream.ts < /dev/null && refuse stream.ts "MPEG transport stream"
ffmpeg -v error -i "$in" -c:a mp2 -f vob stream.mpg < /dev/null && refuse stream.mpg "MPEG program stream"
ffmpeg -v error -i "$in" pack.wv < /dev/null && refuse pack.wv "WavPack"
ffmpeg -v error -i "$in" media.wma < /dev/null && refuse media.wma "Windows Media"
ffmpeg -v error -i "$in" true.tta < /dev/null && refuse true.tta "True Audio"
ffmpeg -v error -i "$in" -ar 16000 -ac 1 -c:a libspeex speex.ogg < /dev/null && refuse speex.ogg "Ogg Speex"
ffmpeg -v error -i "$in" -c:a ac3 -f mp4 ac3.mp4 < /dev/null && refuse ac3.mp4 "MP4, AC-3"
printf '#!AMR\n\x3c\x08\xfd\x8a' > voice.amr && refuse voice.amr "AMR of a phone"
