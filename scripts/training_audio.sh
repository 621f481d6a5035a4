#!/usr/bin/env bash
# Gathers freely licensed audio for `qbh train extractor` from Debian's archive: speech (one folder per speaker), recordings of
# instruments, and SoundFonts. Needs a Debian or Ubuntu machine with ffmpeg, flite, espeak-ng and unzip; 5 GB of disk.
#
#   scripts/training_audio.sh DIR
#   qbh train extractor ... --speech DIR/speech --accompaniment DIR/instruments --soundfont DIR/soundfonts/*.sf2
#
# Licences: asterisk-core-sounds CC BY-SA 3.0; klettres GPL-2+; flite voices BSD-like; espeak-ng GPL-3+ (the sound is its output);
# music of Wesnoth, UFO: AI, Nexuiz, Warzone 2100, SuperTuxKart, Widelands, Hedgewars, Fillets, HyperRogue, Singularity, Planet
# Blupi, ASC: GPL or CC BY-SA or freer (each package's copyright file names the pieces).
set -euo pipefail
[ $# = 1 ] || { echo "usage: $0 DIR" >&2; exit 2; }
for tool in ffmpeg flite espeak-ng unzip dpkg apt-get; do
    command -v $tool >/dev/null || { echo "$0: $tool is missing" >&2; exit 2; }
done
mkdir -p "$1"/{packages,speech,instruments,soundfonts}
cd "$1"

MUSIC="wesnoth-1.16-music warzone2100-music nexuiz-music ufoai-music hyperrogue-music singularity-music asc-music
    planetblupi-music-ogg supertuxkart-data fillets-ng-data widelands-data hedgewars-data"
SPEECH="asterisk-core-sounds-en-g722 asterisk-core-sounds-fr-g722 asterisk-core-sounds-es-g722 asterisk-core-sounds-it-g722
    asterisk-core-sounds-ru-g722 asterisk-prompt-it-menardi-wav klettres-data"
FONTS="fluid-soundfont-gm timgm6mb-soundfont"

for package in $MUSIC $SPEECH $FONTS; do
    [ -d "packages/$package" ] && continue
    (cd packages && apt-get download "$package" >/dev/null)
    mkdir "packages/$package.part"
    dpkg -x packages/"$package"_*.deb "packages/$package.part"
    rm packages/"$package"_*.deb
    find "packages/$package.part" -name '*.pk3' -execdir unzip -qo {} '*.ogg' '*.mp3' \; 2>/dev/null || true
    mv "packages/$package.part" "packages/$package"
done
find packages -name '*.sf2' -type f -exec ln -sf "$PWD/{}" soundfonts/ \;

# Pieces in which somebody sings or speaks, or seems to.
VOICES='ingame_16|Psymong[RO]5|Geosphere02|Chimes They Fade|/menu\.|nunc_dimittis|nolok_speech|love_theme'
find packages -type f \( -name '*.ogg' -o -name '*.mp3' -o -name '*.opus' \) -size +300k -not -path '*klettres*' \
    -not -path '*/sfx/*' -not -path '*/sounds/*' | sort | grep -Ev "$VOICES" | while read -r file; do
    ln -sf "$PWD/$file" "instruments/$(echo "$file" | cut -d/ -f2)__$(basename "$file")"
done

# A speaker's recordings, one after the other: speaker NAME FILES... (at most five minutes)
speaker() {
    local name=$1; shift
    [ -e "speech/$name/all.wav" ] && return
    mkdir -p "speech/$name"
    for file in "$@"; do
        [ -e "$file" ] || continue
        # Ends when `head` has had enough.
        case $file in *.g722) ffmpeg -v error -f g722 -i "$file" -ar 16000 -ac 1 -f s16le - ;;
        *) ffmpeg -v error -i "$file" -ar 16000 -ac 1 -f s16le - ;; esac 2>/dev/null || break
    done | head -c 9600000 > "speech/$name/all.raw"
    ffmpeg -v error -f s16le -ar 16000 -ac 1 -i "speech/$name/all.raw" "speech/$name/all.wav"
    rm "speech/$name/all.raw"
}
long() { find "$@" -type f \( -name '*.g722' -o -name '*.wav' \) -size +12k -not -path '*silence*' | sort | awk 'NR % 4 == 0'; }
for package in $SPEECH; do
    case $package in
    klettres-data)
        for language in packages/klettres-data/usr/share/klettres/*/; do
            mapfile -t files < <(find "$language" -type f -name '*.ogg' -size +4k | sort | head -70)
            [ ${#files[@]} -lt 20 ] || speaker "klettres-$(basename "$language")" "${files[@]}"
        done ;;
    *) mapfile -t files < <(long "packages/$package"); speaker "${package#asterisk-}" "${files[@]}" ;;
    esac
done
TEXT='oh my love is like a river running home to the sea. every morning when I wake I hear you calling my name. we will never
be alone again tonight under the stars. la la la na na na hey hey hey yeah yeah yeah. you and I will dance until the break of
the day. take me down to the water where the wild winds blow. nobody knows the trouble that we have been through. I would give
it all away just to see you smile. the moon is high above the silent town. walking on the empty road with nothing left to lose.
mi re do so la fa ti do. ah oh eh ee oo ah oh eh ee oo. du ru du ru du du ru du. sha la la la lee doo wop.'
for voice in slt rms awb kal16; do
    flite -voice $voice --setf duration_stretch=1.15 -t "$TEXT" -o speech/flite.wav && speaker flite-$voice speech/flite.wav
done
pitch=30
for voice in en+m3 en-us+f2 de+m1 fr+f4 es+m7 it+f3; do
    espeak-ng -v $voice -s 130 -p $pitch -w speech/espeak.wav "$TEXT" && speaker "espeak-${voice/+/-}" speech/espeak.wav
    pitch=$((pitch + 8))
done
rm -f speech/flite.wav speech/espeak.wav
echo "$(ls speech | wc -l) speakers, $(ls instruments | wc -l) recordings of instruments, $(ls soundfonts | wc -l) SoundFonts"
