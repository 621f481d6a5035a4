// Numbers in words.

export function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

export function sureness(confidence) {
  const percent = `${Math.round(100 * confidence)} %`;
  const word = confidence >= 0.95 ? "Almost certainly" : confidence >= 0.8 ? "Very likely" : confidence >= 0.5 ? "Probably"
    : confidence >= 0.2 ? "Maybe" : confidence >= 0.02 ? "A guess" : "Unlikely";
  return `${word} · ${percent}`;
}

export function key(shift) {
  const semitones = Math.round(shift);
  if (semitones === 0) return "in the song’s key";
  const number = Math.abs(semitones);
  return `${number} semitone${number === 1 ? "" : "s"} ${semitones > 0 ? "higher" : "lower"}`;
}

export function tempo(ratio) {
  const percent = Math.round(100 * (ratio - 1));
  if (Math.abs(percent) < 4) return "at the song’s tempo";
  return percent > 0 ? `${percent} % faster` : `${-percent} % slower`;
}

export function title(song) {
  return song.title ?? song.song.split("#").pop().split("/").pop();
}

export function count(number, what) {
  return `${number.toLocaleString()} ${what}${number === 1 ? "" : "s"}`;
}
