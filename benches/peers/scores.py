"""Writes forty small scores with every kind of repeat, and what music21 plays of them: the golden values of `tests/scores.rs`.

    python -m venv venv && venv/bin/pip install music21==10.5.1
    venv/bin/python scores.py ../../tests/data/scores

Every score is made up here. `expected.json` holds for each file the notes of its melody as [onset, duration, MIDI pitch], in quarter notes, after
`expandRepeats()`; ties are joined, and of chords the top note is kept.
"""
import json
import struct
import sys
from pathlib import Path

from music21 import chord, converter, midi, note, stream

STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def parse(bar):
    """`C4:1 R:0.5 F#5:2~` to [(step, alter, octave, quarters, tied to the next)], a rest without a step."""
    notes = []
    for word in bar.split():
        name, length = word.split(":")
        tied = length.endswith("~")
        length = float(length.rstrip("~"))
        if name == "R":
            notes.append((None, 0, 0, length, False))
        else:
            alter = name.count("#") - name[1:].count("b")
            notes.append((name[0], alter, int(name[-1]), length, tied))
    return notes


def number(step, alter, octave):
    return 12 * (octave + 1) + STEPS[step] + alter


# ---- MusicXML: (bar, signs) with signs |: :| :|3 1( 1) 12( 12) 2( 2) 3( 3) and words

def musicxml(parts):
    names = "".join(f'<score-part id="P{i}"><part-name>{name}</part-name></score-part>' for i, (name, *_) in enumerate(parts))
    body = ""
    for i, (_, lyrics, bars) in enumerate(parts):
        body += f'<part id="P{i}">'
        tied = False
        for m, (bar, *signs) in enumerate(bars):
            body += f'<measure number="{m + 1}">'
            if m == 0:
                body += "<attributes><divisions>4</divisions><time><beats>4</beats><beat-type>4</beat-type></time></attributes>"
            left, right, after = "", "", ""
            for sign in signs:
                if sign == "|:":
                    left += '<repeat direction="forward"/>'
                elif sign.startswith(":|"):
                    times = f' times="{sign[2:]}"' if sign[2:] else ""
                    right += f'<repeat direction="backward"{times}/>'
                elif sign.endswith("("):
                    left = f'<ending number="{",".join(sign[:-1])}" type="start"/>' + left
                elif sign.endswith(")"):
                    right = f'<ending number="{",".join(sign[:-1])}" type="stop"/>' + right
                elif sign in ("segno", "coda"):
                    body += f"<direction><direction-type><{sign}/></direction-type></direction>"
                elif sign == "leave":
                    after += "<direction><direction-type><coda/></direction-type></direction>"
                else:
                    after += f"<direction><direction-type><words>{sign}</words></direction-type></direction>"
            body += f'<barline location="left">{left}</barline>' if left else ""
            for step, alter, octave, length, ties in parse(bar):
                body += "<note>"
                if step is None:
                    body += "<rest/>"
                else:
                    body += f"<pitch><step>{step}</step>" + (f"<alter>{alter}</alter>" if alter else "") + f"<octave>{octave}</octave></pitch>"
                body += f"<duration>{int(4 * length)}</duration>"
                body += '<tie type="stop"/>' if tied else ""
                body += '<tie type="start"/>' if ties else ""
                body += "<voice>1</voice>"
                body += "<lyric><text>la</text></lyric>" if lyrics and step else ""
                body += "</note>"
                tied = ties
            body += after
            body += f'<barline location="right">{right}</barline>' if right else ""
            body += "</measure>"
        body += "</part>"
    return f'<?xml version="1.0"?><score-partwise version="4.0"><part-list>{names}</part-list>{body}</score-partwise>\n'


A, B, C, D = "C4:1 D4:1 E4:2", "F4:1 G4:1 A4:2", "B4:1 C5:1 D5:2", "E5:1 F#5:1 G5:2"
E, F = "A3:1 Bb3:1 C4:2", "G4:0.5 A4:0.5 B4:1 R:1 C5:1"
LOW = ["C2:4"] * 6


def tune(*bars):
    return [("Tune", False, list(bars))]


XML = {
    "repeat": tune((A, "|:"), (B, ":|"), (C,)),
    "repeat_from_the_beginning": tune((A,), (B, ":|"), (C, "|:"), (D, ":|"), (E,)),
    "three_times": tune((A,), (B, "|:", ":|3"), (C,)),
    "endings": tune((A, "|:"), (B, "1(", "1)", ":|"), (C, "2(", "2)"), (D,)),
    "three_endings": tune((A, "|:"), (B, "12(", "12)", ":|"), (C, "3(", "3)"), (D,)),
    "da_capo_al_fine": tune((A,), (B, "Fine"), (C,), (D, "D.C. al Fine")),
    "dal_segno_al_fine": tune((A,), (B, "segno"), (C, "Fine"), (D, "D.S. al Fine")),
    "da_capo_al_coda": tune((A,), (B, "leave"), (C,), (D, "D.C. al Coda"), (E, "coda"), (F,)),
    "dal_segno_al_coda": tune((A,), (B, "segno"), (C, "leave"), (D, "D.S. al Coda"), (E, "coda"), (F,)),
    "song_with_piano": [
        ("Piano", False, [(LOW[0], "|:"), (LOW[1], ":|"), (LOW[2], "Fine"), (LOW[3], "D.C. al Fine")]),
        ("Voice", True, [("C5:1 D5:1 E5:2~", "|:"), ("E5:1 F5:1 G5:2", ":|"), (C, "Fine"), (F, "D.C. al Fine")]),
    ],
}

# ---- ABC

# As music21 reads them: it wants regular bars, and `::` for what many write as `:|:`.
ABC = {
    "repeat": "|:CDEF|GABc|cBAG:|FEDC|]",
    "repeat_from_the_beginning": "CDEF|GABc:|cBAG|FEDC|EFGA|]",
    "endings": "|:CDEF|1GABc:|2cBAG|]",
    "endings_in_brackets": "|:CDEF|[1GABc:|[2cBAG||C4|]",
    "both_ways": "|:CDEF|GABc::cBAG|FEDC:|",
    "two_sections": "|:CDEF|GABc:||:cBAG|FEDC:|",
    "pick_up": "G|cBAG|FEDC:|GABc|C3|]",
    "ties_and_rests": "|:C2D2-|D2z2|(3EFG A2:|A4|]",
    "accidentals": "|:^FGAB|F=FGA|_B2c2:|c4|]",
    "long": "|:CDEF|GABc|1cBAG:|2FEDC|:EFGA:|BAGF|]",
}

# ---- **kern

KERN_LENGTH = {4: "1", 2: "2", 1: "4", 0.5: "8"}


def kern_note(step, alter, octave, length, starts, ends):
    if step is None:
        return KERN_LENGTH[length] + "r"
    letter = step.lower() * (octave - 3) if octave > 3 else step * (4 - octave)
    sign = "#" * alter if alter > 0 else "-" * -alter
    return ("[" if starts else "") + KERN_LENGTH[length] + letter + sign + ("]" if ends else "")


def kern(lines, spines=1):
    """Lines are bars (one a spine), or interpretations, or bar lines."""
    out = ["\t".join(["**kern"] * spines), "\t".join(["*M4/4"] * spines)]
    tied = [False] * spines
    for line in lines:
        if isinstance(line, str) and line.startswith(("*", "=")):
            out.append("\t".join([line] * spines))
            continue
        bars = [parse(bar) for bar in ([line] if spines == 1 else line)]
        clocks = [[] for _ in bars]
        for i, bar in enumerate(bars):
            at = 0
            for step, alter, octave, length, ties in bar:
                clocks[i].append((at, kern_note(step, alter, octave, length, ties, tied[i])))
                tied[i] = ties
                at += length
        for at in sorted({at for clock in clocks for at, _ in clock}):
            out.append("\t".join(next((token for when, token in clock if when == at), ".") for clock in clocks))
    out += ["\t".join(["=="] * spines), "\t".join(["*-"] * spines)]
    return "\n".join(out) + "\n"


KERN = {
    "repeat": kern(["=1!|:", A, "=2", B, "=3:|!", C]),
    "repeat_from_the_beginning": kern([A, "=2", B, "=3:|!", C]),
    "both_ways": kern(["=1!|:", A, "=2:|!|:", B, "=3:|!", C]),
    "two_sections": kern(["=1!|:", A, "=2", B, "=3:|!|:", C, "=4", D, "=5:|!"]),
    "ties": kern(["=1!|:", "C4:2 D4:2~", "=2", "D4:1 E4:1 R:2", "=3:|!", C]),
    "expansion_list": kern(["*>[A,A,B]", "*>A", "=1!|:", A, "=2", B, "=3:|!", "*>B", C, "=4", D]),
    "expansion_list_of_three": kern(["*>[A,A,B,B]", "*>norep[A,B]", "*>A", "=1!|:", A, "=2:|!|:", "*>B", B, "=3:|!"]),
    "bass_and_voice": kern(["*>[A,A,B]", "*>A", "=1!|:", ("C2:4", A), "=2", ("F2:4", F), "=3:|!", "*>B", ("G2:4", C)], 2),
    "low_and_high": kern(["=1!|:", ("C3:4", "C4:1 D4:1 E4:2"), "=2:|!", ("F3:2 G3:2", "F4:1 G4:1 A4:2"), "=3", ("C3:4", "E4:4")], 2),
    "no_repeat": kern(["=1", A, "=2", B, "=3", F, "=4", E]),
}

# ---- MIDI

TICKS = 480


def track(bars, name="", channel=0, tempo=False, times=1):
    """A track chunk; sections are played as they are written out."""
    data = b""
    if name:
        data += b"\0\xff\x03" + bytes([len(name)]) + name.encode()
    if tempo:
        data += b"\0\xff\x51\x03" + (500000).to_bytes(3, "big")
    wait = 0

    def delta(ticks):
        groups = [ticks & 127]
        while ticks := ticks >> 7:
            groups.append(ticks & 127 | 128)
        return bytes(reversed(groups))

    for bar in list(bars) * times:
        for step, alter, octave, length, _ in parse(bar):
            ticks = int(TICKS * length)
            if step is None:
                wait += ticks
                continue
            key = number(step, alter, octave)
            data += delta(wait) + bytes([0x90 | channel, key, 90]) + delta(ticks) + bytes([0x80 | channel, key, 0])
            wait = 0
    data += b"\0\xff\x2f\0"
    return b"MTrk" + struct.pack(">I", len(data)) + data


def smf(kind, tracks):
    return b"MThd" + struct.pack(">IHHH", 6, kind, len(tracks), TICKS) + b"".join(tracks)


RIFF = smf(0, [track([A, B, A, B, C])])
MIDI = {
    "one_track": (smf(0, [track([A, B, C, D])]), 0),
    "repeated": (smf(0, [track([A, B], times=3)]), 0),
    "with_rests": (smf(0, [track([F, F, "R:4", A])]), 0),
    "two_tracks": (smf(1, [track([], "Song", tempo=True), track([A, B, C, D], "Melody")]), 0),
    "bass_first": (smf(1, [track(LOW[:4], "Bass", 1), track([A, B, C, D], "Vocals", 2)]), 1),
    "lead_and_chords": (smf(1, [track(["C3:4", "F3:4", "G3:4", "C3:4"], "Strings", 1), track([A, B, C, D], "Lead", 2)]), 1),
    "low_and_high": (smf(1, [track(["C3:2 G3:2"] * 4, "", 1), track([A, B, F, D], "", 2)]), 1),
    "accidentals": (smf(0, [track([D, E, D, E])]), 0),
    "long": (smf(1, [track([A, B, C, D, E, F], "Voice", times=4)]), 0),
    "riff": (b"RIFF" + struct.pack("<I", len(RIFF) + 12) + b"RMIDdata" + struct.pack("<I", len(RIFF)) + RIFF, 0),
}


def notes_of(part):
    part = part.expandRepeats() if part.getElementsByClass(stream.Measure) else part
    part = part.stripTies()
    notes = []
    for element in part.flatten().notes:
        pitch = element.sortAscending().pitches[-1] if isinstance(element, chord.Chord) else element.pitch
        assert isinstance(element, (note.Note, chord.Chord))
        notes.append([round(float(element.offset), 3), round(float(element.quarterLength), 3), pitch.midi])
    return notes


def main(out):
    out.mkdir(parents=True, exist_ok=True)
    expected = {}
    for name, parts in XML.items():
        path = out / f"{name}.musicxml"
        path.write_text(musicxml(parts))
        expected[path.name] = notes_of(converter.parse(path, forceSource=True).parts[-1])
    for name, music in ABC.items():
        path = out / f"{name}.abc"
        path.write_text(f"X:1\nT:{name.replace('_', ' ')}\nM:4/4\nL:1/4\nK:C\n{music}\n")
        expected[path.name] = notes_of(converter.parse(path, forceSource=True).parts[-1])
    for name, text in KERN.items():
        path = out / f"{name}.krn"
        path.write_text(text)
        parts = converter.parse(path, forceSource=True, format="humdrum").parts
        highest = max(parts, key=lambda part: sum(p.midi for p in part.flatten().pitches) / max(1, len(part.flatten().pitches)))
        expected[path.name] = notes_of(highest)
    for name, (data, part) in MIDI.items():
        path = out / f"{name}.{'rmi' if name == 'riff' else 'mid'}"
        path.write_bytes(data)
        plain = data[data.index(b"MThd"):]
        scratch = out / "scratch.mid"
        scratch.write_bytes(plain)
        parts = [p for p in converter.parse(scratch, forceSource=True, quantizePost=False).parts if p.flatten().notes]
        scratch.unlink()
        expected[path.name] = notes_of(parts[part])
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(notes)}" for name, notes in sorted(expected.items()))
    (out / "expected.json").write_text("{\n" + lines + "\n}\n")
    print(len(expected), "scores")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
