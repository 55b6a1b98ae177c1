// The images inside a zip, unpacked in the browser: names and folders never leave it.

const END = 0x06054b50, ENTRY = 0x02014b50, MOST_UNPACKED = 2 ** 31;

// Gives Files, at most `most`; throws a sentence's key when the zip cannot be opened.
async function unzip(zip, most) {
  const tail = new DataView(await zip.slice(Math.max(0, zip.size - 65557)).arrayBuffer());
  let end = tail.byteLength - 22;
  while (end >= 0 && tail.getUint32(end, true) !== END) end -= 1;
  if (end < 0) throw "batch.zip.broken";
  const [size, start] = [tail.getUint32(end + 12, true), tail.getUint32(end + 16, true)];
  const table = new DataView(await zip.slice(start, start + size).arrayBuffer());
  const found = [];
  let at = 0, unpacked = 0;
  while (at + 46 <= table.byteLength && found.length < most) {
    if (table.getUint32(at, true) !== ENTRY) throw "batch.zip.broken";
    const word = (place) => table.getUint16(at + place, true);
    const long = (place) => table.getUint32(at + place, true);
    const name = new TextDecoder().decode(new Uint8Array(table.buffer, at + 46, word(28)));
    const entry = { name, flags: word(8), method: word(10), packed: long(20), size: long(24),
      start: long(42) };
    at += 46 + word(28) + word(30) + word(32);
    if (name.endsWith("/") || /(^|\/)(\.|__MACOSX)/.test(name)) continue;
    if (entry.flags & 1) throw "batch.zip.locked";
    unpacked += entry.size;
    if (entry.size > FACTS.limit || unpacked > MOST_UNPACKED) throw "batch.zip.large";
    found.push(entry);
  }
  return found.map((entry) => lazyFile(zip, entry));
}

// A member is unpacked when its turn comes, so that a large zip is never in memory as a whole.
function lazyFile(zip, entry) {
  return {
    name: entry.name,
    async content() {
      const head = new DataView(await zip.slice(entry.start, entry.start + 30).arrayBuffer());
      const skip = 30 + head.getUint16(26, true) + head.getUint16(28, true);
      const packed = zip.slice(entry.start + skip, entry.start + skip + entry.packed);
      if (entry.method === 0) return packed;
      if (entry.method !== 8) throw "batch.zip.broken";
      const stream = packed.stream().pipeThrough(new DecompressionStream("deflate-raw"));
      return limited(stream, entry.size);
    },
  };
}

// The size a zip states may be a lie; what unpacks to more is not read on.
async function limited(stream, size) {
  const reader = stream.getReader();
  const parts = [];
  let total = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(parts);
    total += value.length;
    if (total > size) throw "batch.zip.broken";
    parts.push(value);
  }
}
