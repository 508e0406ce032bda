// From pixels to what the model takes: the steps of `ferbook predict`, to the last bit for
// opaque pictures of eight bits.
// Browsers smooth pictures each in their own way when they shrink them, so no canvas resizes here.

export const SIDE = 48; // px, of the model's input
export const LARGEST_CUT_OUT = 64; // px; a picture no larger is taken for a face

// RGBA bytes to gray, with Pillow's whole-number weights (ITU-R 601); transparent ones lie on white.
export function gray(rgba) {
  const out = new Uint8Array(rgba.length / 4);
  for (let i = 0, k = 0; i < out.length; i += 1, k += 4) {
    const value = (rgba[k] * 19595 + rgba[k + 1] * 38470 + rgba[k + 2] * 7471 + 0x8000) >> 16;
    out[i] = Math.round((value * rgba[k + 3] + 255 * (255 - rgba[k + 3])) / 255);
  }
  return out;
}

// Gray (height x width) to SIDE x SIDE as OpenCV's INTER_AREA does; see its resize.cpp.
export function resize(pixels, width, height) {
  if (width < SIDE || height < SIDE) return enlarge(pixels, width, height);
  const whole = width % SIDE === 0 && height % SIDE === 0;
  if (whole) return blocks(pixels, width, width / SIDE, height / SIDE);
  return shrink(pixels, width, height);
}

// Each output pixel is the mean over the area that it covers, in single precision.
function shrink(pixels, width, height) {
  const across = shares(width), down = shares(height);
  const out = new Uint8Array(SIDE * SIDE), row = new Float32Array(SIDE), sum = new Float32Array(SIDE);
  for (let y = 0; y < SIDE; y += 1) {
    sum.fill(0);
    for (const [source, weight] of down[y]) {
      for (let x = 0; x < SIDE; x += 1) {
        row[x] = 0;
        for (const [k, share] of across[x]) row[x] += Math.fround(pixels[source * width + k] * share);
        sum[x] += Math.fround(weight * row[x]);
      }
    }
    for (let x = 0; x < SIDE; x += 1) out[y * SIDE + x] = halfToEven(sum[x]);
  }
  return out;
}

// For each output pixel, the input pixels it covers along one axis, with their shares.
function shares(size) {
  const scale = size / SIDE;
  return Array.from({ length: SIDE }, (_, i) => {
    const start = i * scale, end = start + scale, cell = Math.min(scale, size - start);
    const last = Math.min(Math.floor(end), size - 1), first = Math.min(Math.ceil(start), last);
    const found = [];
    if (first - start > 1e-3) found.push([first - 1, Math.fround((first - start) / cell)]);
    for (let k = first; k < last; k += 1) found.push([k, Math.fround(1 / cell)]);
    if (end - last > 1e-3) found.push([last, Math.fround(Math.min(end - last, 1, cell) / cell)]);
    return found;
  });
}

// The mean of blocks of whole pixels. Of two by two, OpenCV rounds halves up; else to even.
function blocks(pixels, width, across, down) {
  const out = new Uint8Array(SIDE * SIDE), share = Math.fround(1 / (across * down));
  for (let i = 0; i < out.length; i += 1) {
    const corner = Math.floor(i / SIDE) * down * width + (i % SIDE) * across;
    let sum = 0;
    for (let y = 0; y < down; y += 1) {
      for (let x = 0; x < across; x += 1) sum += pixels[corner + y * width + x];
    }
    out[i] = across === 2 && down === 2 ? (sum + 2) >> 2 : halfToEven(Math.fround(sum * share));
  }
  return out;
}

// Where an axis is shorter than SIDE, two neighbors are mixed in whole numbers of 1/2048.
function enlarge(pixels, width, height) {
  const across = neighbors(width), down = neighbors(height);
  const out = new Uint8Array(SIDE * SIDE);
  const mixed = (y, { at, next, weights }) =>
    pixels[y * width + at] * weights[0] + pixels[y * width + next] * weights[1];
  for (let y = 0; y < SIDE; y += 1) {
    const { at, next, weights } = down[y];
    for (let x = 0; x < SIDE; x += 1) {
      const upper = (weights[0] * (mixed(at, across[x]) >> 4)) >> 16;
      const lower = (weights[1] * (mixed(next, across[x]) >> 4)) >> 16;
      out[y * SIDE + x] = (upper + lower + 2) >> 2;
    }
  }
  return out;
}

function neighbors(size) {
  const scale = size / SIDE;
  return Array.from({ length: SIDE }, (_, i) => {
    const at = Math.floor(i * scale);
    let share = Math.fround(i + 1 - (at + 1) / scale);
    share = share <= 0 ? 0 : Math.fround(share - Math.floor(share));
    const weights = [1 - share, share].map((weight) => halfToEven(Math.fround(weight) * 2048));
    return { at, next: Math.min(at + 1, size - 1), weights };
  });
}

function halfToEven(value) {
  const low = Math.floor(value), rest = value - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}
