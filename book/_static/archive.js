// Pictures from a reader's own zip file, read where it lies; nothing is sent anywhere.
// Format: PKWARE APPNOTE 6.3, without its extensions for files above 4 GB.
const archive = {
  // Name -> a function that gives the file's content as a Blob.
  async open(file) {
    const tail = await archive.view(file, Math.max(0, file.size - 65557), file.size);
    let end = tail.byteLength - 22;
    while (end >= 0 && tail.getUint32(end, true) !== 0x06054b50) end -= 1;
    if (end < 0) throw new Error(`${file.name} is not a zip file.`);
    const start = tail.getUint32(end + 16, true), size = tail.getUint32(end + 12, true);
    const list = await archive.view(file, start, start + size), found = new Map();
    for (let at = 0; at < size && list.getUint32(at, true) === 0x02014b50;) {
      const [long, extra, comment] = [28, 30, 32].map((k) => list.getUint16(at + k, true));
      const name = new TextDecoder().decode(new Uint8Array(list.buffer, at + 46, long));
      const entry = { method: list.getUint16(at + 10, true), size: list.getUint32(at + 20, true),
        offset: list.getUint32(at + 42, true) };
      found.set(name, () => archive.content(file, entry));
      at += 46 + long + extra + comment;
    }
    return found;
  },

  async content(file, { method, size, offset }) {
    const head = await archive.view(file, offset, offset + 30);
    const start = offset + 30 + head.getUint16(26, true) + head.getUint16(28, true);
    const packed = file.slice(start, start + size);
    if (method === 0) return packed;
    return new Response(packed.stream().pipeThrough(new DecompressionStream("deflate-raw"))).blob();
  },

  view: async (file, start, end) => new DataView(await file.slice(start, end).arrayBuffer()),
};
