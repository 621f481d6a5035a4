//! Symbolic music in: notes from MIDI, MusicXML, ABC, **kern and melody JSON lines.
