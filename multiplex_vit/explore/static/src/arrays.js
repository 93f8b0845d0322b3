// Arrays as multiplex_vit/explore/packing.py packs them: base64 and how codes become values.

const TYPES = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array };

function bytesOf(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** Return the codes of a packed array, one after the other. */
export function codesOf(packed) {
  const bytes = bytesOf(packed.data);
  return new TYPES[packed.type](bytes.buffer);
}

/** Return the numbers of a quantised array; the highest code stands for NaN. */
export function valuesOf(packed) {
  const codes = codesOf(packed);
  const missing = 2 ** (8 * codes.BYTES_PER_ELEMENT) - 1;
  const step = (packed.high - packed.low) / (missing - 1);
  const values = new Float32Array(codes.length);
  codes.forEach((code, place) => {
    values[place] = code === missing ? NaN : packed.low + code * step;
  });
  return values;
}

/** Return shares of a greatest weight from their logarithmic codes; 0 is no edge. */
export function sharesOf(packed) {
  const byCode = new Float32Array(256);
  for (let code = 1; code < 256; code += 1) {
    byCode[code] = packed.weakest ** ((255 - code) / 254);
  }
  return Float32Array.from(codesOf(packed), (code) => byCode[code]);
}

/** Return truth values as 0 and 1. */
export function flagsOf(packed) {
  const bytes = bytesOf(packed.data);
  const count = packed.shape.reduce((product, size) => product * size, 1);
  const flags = new Uint8Array(count);
  for (let place = 0; place < count; place += 1) {
    flags[place] = (bytes[place >> 3] >> (place & 7)) & 1;
  }
  return flags;
}

/** Return the least and greatest number of an array that are not NaN. */
export function rangeOf(values) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 0];
}

/** Return the range between two quantiles, so that a few extremes do not hide the rest. */
export function middleRangeOf(values, share = 0.02) {
  const sorted = Float32Array.from(values).filter((value) => !Number.isNaN(value)).sort();
  if (!sorted.length) return [0, 0];
  const last = sorted.length - 1;
  const low = sorted[Math.round(last * share)];
  const high = sorted[Math.round(last * (1 - share))];
  return low < high ? [low, high] : rangeOf(sorted);
}

/** Return where a value lies between two ends, from 0 to 1. */
export function placeBetween(value, [low, high]) {
  if (high <= low) return 0.5;
  return Math.min(1, Math.max(0, (value - low) / (high - low)));
}
