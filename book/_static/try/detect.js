// Faces, found by CenterFace as ferbook.inference finds them (centerface/, detector.py), where the
// reasons stand. Turned squares differ from OpenCV's by some gray levels, so boxes may differ by a
// pixel or two. A spot is where a face may be: score, middle, side (px), turn (degrees, clockwise).

const FIRST_SCORE = 0.01, LIKELY_SCORE = 0.1, LAST_SCORE = 0.1;
const PLACES = 24, PLACES_OF_LARGE = 16, MOST_LIKELY = 2000, BATCH = 16, MOST_TURN = 60;
const MOST_OVERLAP = 0.3, MOST_ALIKE = 0.7, MOST_NEAR = 0.41;
const LEVEL = 160, CLOSER = [[112, 2.0], [160, 1.25]], LOOKS = CLOSER.length + 1, CELL = 4, MULTIPLE = 32;
const CUT_OUT = 1.18, LEAST_TURN = 15;
export const MIN_FACE = 20;

// Squares {x, y, width, height, turn} in a gray picture of at most 1024 px a side, the largest
// first. `run(input, shape)` resolves to the network's four outputs.
export async function detect(pixels, width, height, run) {
  const levels = pyramid(pixels, width, height);
  let spots = [];
  for (const { scale, ...level } of levels) {
    const [seen] = await look([level.pixels], level.width, level.height, run);
    for (const { score, x, y, side, turn } of best(seen, MOST_OVERLAP, ofUnion)) {
      spots.push({ score, x: x / scale, y: y / scale, side: side / scale, turn });
    }
  }
  spots = best(spots, MOST_OVERLAP, ofUnion);
  const likely = spots.filter((spot) => spot.score > LIKELY_SCORE).length;
  spots = spots.slice(0, Math.max(
    PLACES, PLACES_OF_LARGE * Math.ceil((width * height) / 1e6), Math.min(likely, MOST_LIKELY)));
  spots.forEach((spot) => { spot.score = 1; }); // from here on a product of scores
  for (const [side, sides] of CLOSER) {
    const found = await closer(levels, spots, side, sides, run);
    found.forEach(([spot], i) => { if (spot) spot.score *= spots[i].score; });
    spots = best(found.flat(), MOST_ALIKE, ofUnion).filter((spot) => spot.score > LAST_SCORE ** LOOKS);
  }
  const mirrored = await closer(levels, spots, ...CLOSER.at(-1), run, true);
  spots = spots.map((spot, i) => ({
    ...spot, score: (spot.score * (mirrored[i][0]?.score ?? 0)) ** (1 / LOOKS) }));
  return best(spots.filter((spot) => spot.score > LAST_SCORE), MOST_NEAR, nearness)
    .map((spot) => square(spot, width, height)).filter((box) => box.width >= MIN_FACE)
    .sort((a, b) => b.width - a.width);
}

// The picture at half the scale of before each.
function pyramid(pixels, width, height) {
  const levels = [{ scale: 1, pixels, width, height }];
  const halved = ({ width: w, height: h }) => Math.max(w, h) > LEVEL && Math.min(w, h) > 1;
  for (let last = levels[0]; halved(last); last = levels.at(-1)) {
    const w = last.width >> 1, h = last.height >> 1, half = new Uint8Array(w * h);
    for (let y = 0; y < h; y += 1) {
      for (let x = 0; x < w; x += 1) {
        const k = 2 * y * last.width + 2 * x, below = k + last.width, { pixels: from } = last;
        half[y * w + x] = (from[k] + from[k + 1] + from[below] + from[below + 1] + 2) >> 2;
      }
    }
    levels.push({ scale: last.scale / 2, pixels: half, width: w, height: h });
  }
  return levels;
}

// The spots in each of several pictures of one size, which are filled up with black.
async function look(pictures, width, height, run) {
  const up = (length) => Math.ceil(length / MULTIPLE) * MULTIPLE;
  const w = up(width), h = up(height), filled = new Float32Array(pictures.length * w * h);
  pictures.forEach((pixels, i) => {
    for (let y = 0; y < height; y += 1) {
      filled.set(pixels.subarray(y * width, (y + 1) * width), (i * h + y) * w);
    }
  });
  const maps = await run(filled, [pictures.length, 1, h, w]);
  return pictures.map((_, i) => decode(maps, i, w / CELL, h / CELL));
}

function decode({ heatmap, size, offset, landmarks }, picture, columns, rows) {
  const cells = rows * columns, found = [];
  for (let cell = 0; cell < cells; cell += 1) {
    const score = heatmap.data[picture * cells + cell];
    if (score <= FIRST_SCORE) continue;
    const at = (map, k) => map.data[(picture * map.dims[1] + k) * cells + cell];
    const height = CELL * Math.exp(at(size, 0)), width = CELL * Math.exp(at(size, 1));
    const down = height * (at(landmarks, 2) - at(landmarks, 0)); // from eye to eye
    const across = width * (at(landmarks, 3) - at(landmarks, 1));
    found.push({ score, side: Math.sqrt(height * width),
      x: CELL * ((cell % columns) + 0.5 + at(offset, 1)),
      y: CELL * (Math.floor(cell / columns) + 0.5 + at(offset, 0)),
      turn: (Math.atan2(down, across) * 180) / Math.PI });
  }
  return found;
}

// Of spots that share more than `most`, the one of highest score; the highest comes first.
function best(spots, most, share) {
  const kept = [];
  for (const spot of [...spots].sort((a, b) => b.score - a.score)) {
    if (kept.every((other) => share(other, spot) <= most)) kept.push(spot);
  }
  return kept;
}

function shared(a, b) {
  const along = (axis) => Math.min(
    Math.max((a.side + b.side) / 2 - Math.abs(a[axis] - b[axis]), 0), a.side, b.side);
  return along("x") * along("y");
}

const ofUnion = (a, b) => shared(a, b) / (a.side ** 2 + b.side ** 2 - shared(a, b));
const nearness = (a, b) =>
  1 - Math.max(Math.abs(a.x - b.x), Math.abs(a.y - b.y)) / Math.max(a.side, b.side);

// For each spot a list: the spot as it looks from near, or nothing.
async function closer(levels, spots, view, sides, run, mirrored = false) {
  const frames = spots.map(({ x, y, side, turn }) => ({
    x, y, side: sides * side, turn: Math.abs(turn) < MOST_TURN ? turn : 0 }));
  const views = frames.map((frame) => {
    const { scale, ...level } = levels.find((one) => frame.side * one.scale < 1.5 * view)
      ?? levels.at(-1);
    const middle = [frame.x * scale - 0.5, frame.y * scale - 0.5];
    return turned(level, middle, frame.side * scale, frame.turn, view);
  });
  if (mirrored) views.forEach((pixels) => mirror(pixels, view));
  const seen = [];
  for (let at = 0; at < views.length; at += BATCH) {
    seen.push(...await look(views.slice(at, at + BATCH), view, view, run));
  }
  return frames.map((frame, i) => inPicture(frame, view, seen[i]));
}

function mirror(pixels, width) {
  for (let k = 0; k < pixels.length; k += width) pixels.subarray(k, k + width).reverse();
}

// The likeliest spot about the middle of a view, as the picture has it.
function inPicture(frame, view, seen) {
  const [spot] = seen.filter(({ x, y }) => Math.hypot(x - view / 2, y - view / 2) < view / 4)
    .sort((a, b) => b.score - a.score);
  if (!spot) return [];
  const step = frame.side / view, angle = (frame.turn * Math.PI) / 180;
  const cos = step * Math.cos(angle), sin = step * Math.sin(angle);
  const u = spot.x - view / 2, v = spot.y - view / 2;
  return [{ score: spot.score, side: step * spot.side, turn: frame.turn + spot.turn,
    x: frame.x + cos * u - sin * v, y: frame.y + sin * u + cos * v }];
}

// The square about a spot that is cut out, moved into the picture where it leaves it.
function square({ x, y, side, turn }, width, height) {
  const whole = Math.min(Math.round(CUT_OUT * side), width, height);
  const inside = (start, length) => Math.min(Math.max(Math.round(start), 0), length - whole);
  return { x: inside(x - whole / 2, width), y: inside(y - whole / 2, height),
    width: whole, height: whole, turn: Math.abs(turn) >= LEAST_TURN ? turn : 0 };
}

// A square of `side` px about `middle`, turned clockwise, as `size` x `size`; bilinear. Outside of
// the picture its border goes on.
export function turned({ pixels, width, height }, middle, side, degrees, size) {
  const out = new Uint8Array(size * size), angle = (degrees * Math.PI) / 180;
  const cos = (side / size) * Math.cos(angle), sin = (side / size) * Math.sin(angle);
  for (let v = 0; v < size; v += 1) {
    for (let u = 0; u < size; u += 1) {
      const across = u - (size - 1) / 2, down = v - (size - 1) / 2;
      const x = Math.min(Math.max(middle[0] + cos * across - sin * down, 0), width - 1);
      const y = Math.min(Math.max(middle[1] + sin * across + cos * down, 0), height - 1);
      const left = Math.floor(x), top = Math.floor(y) * width, part = x - left;
      const right = Math.min(left + 1, width - 1), below = Math.min(top + width, (height - 1) * width);
      const upper = pixels[top + left] * (1 - part) + pixels[top + right] * part;
      const lower = pixels[below + left] * (1 - part) + pixels[below + right] * part;
      out[v * size + u] = Math.round(upper + (lower - upper) * (y - Math.floor(y)));
    }
  }
  return out;
}
