// Upright frontal faces, by OpenCV's Haar cascade, carried out as OpenCV does
// (cascadedetect.cpp; Viola and Jones, CVPR 2001). Scaling differs in the last bits, so boxes may
// differ by some pixels.

const STEP = 1.1; // from one window size to the next
const NEIGHBOURS = 5; // windows that must agree, less one
const SIMILAR = 0.2; // of a window's side

// Boxes {x, y, width, height} in a grey picture, the largest first. `cascade` is cascade.json.
export function detect(pixels, width, height, cascade) {
  const smallest = 30; // px
  const found = [];
  for (let scale = 1; cascade.side * scale <= Math.min(width, height); scale *= STEP) {
    if (Math.round(cascade.side * scale) < smallest) continue;
    const level = shrink(pixels, width, height, scale);
    const side = Math.round(cascade.side * scale);
    for (const [x, y] of scan(level, cascade, scale > 2 ? 1 : 2)) {
      found.push([Math.round(x * scale), Math.round(y * scale), side]);
    }
  }
  return group(found).sort((a, b) => b.width - a.width);
}

// Bilinear, without smoothing.
function shrink(pixels, width, height, scale) {
  const w = Math.round(width / scale), h = Math.round(height / scale), out = new Uint8Array(w * h);
  const at = (i, n, size) => {
    const place = Math.min(Math.max(((i + 0.5) * size) / n - 0.5, 0), size - 1);
    const low = Math.floor(place);
    return [low, Math.min(low + 1, size - 1), place - low];
  };
  const columns = Array.from({ length: w }, (_, x) => at(x, w, width));
  for (let y = 0; y < h; y += 1) {
    const [top, bottom, down] = at(y, h, height);
    for (let x = 0; x < w; x += 1) {
      const [left, right, across] = columns[x];
      const upper = pixels[top * width + left] * (1 - across) + pixels[top * width + right] * across;
      const lower = pixels[bottom * width + left] * (1 - across) + pixels[bottom * width + right] * across;
      out[y * w + x] = Math.round(upper * (1 - down) + lower * down);
    }
  }
  return { pixels: out, w, h };
}

// Corners of the windows that pass every stage.
function scan({ pixels, w, h }, { side, stages }, step) {
  const row = w + 1, sums = new Int32Array(row * (h + 1)), squares = new Float64Array(row * (h + 1));
  for (let y = 0; y < h; y += 1) {
    for (let x = 0, sum = 0, square = 0; x < w; x += 1) {
      const value = pixels[y * w + x], k = (y + 1) * row + x + 1;
      sum += value;
      square += value * value;
      sums[k] = sums[k - row] + sum;
      squares[k] = squares[k - row] + square;
    }
  }
  const box = (table, k, dx, dy) => table[k] - table[k + dx] - table[k + dy * row] + table[k + dy * row + dx];
  const compiled = stages.map((stage) => compile(stage, row));
  const inner = side - 2, area = inner * inner, passed = [];
  for (let y = 0; y + side <= h; y += step) {
    for (let x = 0; x + side <= w; x += step) {
      const corner = y * row + x, inside = corner + row + 1;
      const sum = box(sums, inside, inner, inner);
      const variance = area * box(squares, inside, inner, inner) - sum * sum;
      const deviation = variance > 0 ? Math.sqrt(variance) : 1;
      const stage = area < 0.1 * deviation ? failedStage(corner, deviation) : 0; // else too even
      if (stage < 0) passed.push([x, y]);
      else if (stage === 0) x += step; // far from a face: OpenCV skips its neighbour
    }
  }
  return passed;

  // The first stage that says no, or -1.
  function failedStage(corner, deviation) {
    for (let s = 0; s < compiled.length; s += 1) {
      const { threshold, votes, corners, weights } = compiled[s];
      let sum = 0;
      for (let i = 0; i < votes.length; i += 3) { // least, below, above
        let value = 0;
        for (let p = i, k = 4 * i; p < i + 3; p += 1, k += 4) {
          value += weights[p] * (sums[corner + corners[k]] - sums[corner + corners[k + 1]]
            - sums[corner + corners[k + 2]] + sums[corner + corners[k + 3]]);
        }
        sum += value < votes[i] * deviation ? votes[i + 1] : votes[i + 2];
      }
      if (sum < threshold) return s;
    }
    return -1;
  }
}

// A stage with its rectangles, three to a stump, as places in a table of sums with rows this long.
function compile({ threshold, stumps }, row) {
  const n = 3 * stumps.length;
  const made = { threshold, votes: new Float64Array(n), weights: new Float64Array(n),
    corners: new Int32Array(4 * n) };
  stumps.forEach((stump, i) => {
    made.votes.set(stump.slice(0, 3), 3 * i);
    for (let p = 3, k = 3 * i; p < stump.length; p += 5, k += 1) {
      const [x, y, width, height, weight] = stump.slice(p, p + 5), at = y * row + x;
      made.weights[k] = weight;
      made.corners.set([at, at + width, at + height * row, at + height * row + width], 4 * k);
    }
  });
  return made;
}

// The means of windows that lie close together, where there are enough of them.
function group(windows) {
  const groups = windows.map((_, i) => i);
  const root = (i) => { while (groups[i] !== i) i = groups[i]; return i; };
  for (let i = 0; i < windows.length; i += 1) {
    for (let k = 0; k < i; k += 1) {
      if (close(windows[i], windows[k])) groups[root(i)] = root(k);
    }
  }
  const gathered = new Map();
  windows.forEach((window, i) => gathered.set(root(i), [...(gathered.get(root(i)) ?? []), window]));
  const mean = (list, part) => Math.round(list.reduce((sum, window) => sum + window[part], 0) / list.length);
  const kept = [...gathered.values()].filter((list) => list.length > NEIGHBOURS)
    .map((list) => ({ n: list.length, x: mean(list, 0), y: mean(list, 1), width: mean(list, 2),
      height: mean(list, 2) }));
  return kept.filter((one) => !kept.some((other) => other !== one && within(one, other)
    && (other.n > Math.max(3, one.n) || one.n < 3)));
}

function close([x, y, side], [u, v, other]) {
  const most = SIMILAR * Math.min(side, other);
  return Math.abs(x - u) <= most && Math.abs(y - v) <= most
    && Math.abs(x + side - u - other) <= most && Math.abs(y + side - v - other) <= most;
}

function within(one, other) {
  const slack = Math.round(SIMILAR * other.width);
  return one.x >= other.x - slack && one.y >= other.y - slack
    && one.x + one.width <= other.x + other.width + slack
    && one.y + one.height <= other.y + other.height + slack;
}
