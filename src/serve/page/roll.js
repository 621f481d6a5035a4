// Draws melodies: pitch over time, as lines in an SVG whose units are seconds and semitones (turned upside down).

const SVG = "http://www.w3.org/2000/svg";

function element(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  return made;
}

// Steps of a contour as points; a gap where there is no melody.
export function points(contour, step, from = 0) {
  return contour.map((pitch, i) => (pitch > 0 ? [from + (i + 0.5) * step, pitch] : null));
}

function path(line) {
  let drawn = "";
  let before = null;
  for (const point of line) {
    if (point) {
      // A leap is a new note: no line between.
      const goesOn = before && Math.abs(before[1] - point[1]) < 1.5;
      drawn += goesOn ? `L${point[0].toFixed(2)} ${(-point[1]).toFixed(2)}` : `M${point[0].toFixed(2)} ${(-point[1]).toFixed(2)}h.01`;
    }
    before = point;
  }
  return drawn;
}

function range(lines) {
  const pitches = lines.flatMap(({ line }) => line.filter(Boolean).map((point) => point[1])).sort((a, b) => a - b);
  if (pitches.length === 0) return [55, 67];
  // A few stray steps do not squeeze the rest.
  const low = pitches[Math.floor(0.02 * (pitches.length - 1))];
  const high = pitches[Math.ceil(0.98 * (pitches.length - 1))];
  const middle = (low + high) / 2;
  const half = Math.max(6, (high - low) / 2 + 2);
  return [middle - half, middle + half];
}

// `lines`: [{ line: [[seconds, pitch] or null, ...], kind: class }], from `begin` to `end` seconds.
export function draw(svg, lines, begin, end) {
  const [low, high] = range(lines);
  svg.setAttribute("viewBox", `${begin} ${-high} ${Math.max(0.1, end - begin)} ${high - low}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.replaceChildren(...lines.map(({ line, kind }) => element("path", { class: kind, d: path(line) })));
}

// A line at a time of a song that is played.
export function playhead(svg, seconds) {
  const [, top, , height] = svg.getAttribute("viewBox").split(" ").map(Number);
  let head = svg.querySelector(".head");
  if (!head) {
    head = element("path", { class: "head" });
    svg.append(head);
  }
  head.setAttribute("d", seconds === null ? "" : `M${seconds.toFixed(2)} ${top}v${height}`);
}
