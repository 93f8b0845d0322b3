// Which patches are there now: those that a mask keeps, or that a curve has inserted or left.

/** Return node => whether its patch is there, or null where nothing is taken away. */
export function keptNow(contents, state) {
  const { nPrefix } = contents;
  const flags = flagsNow(contents, state);
  if (!flags) return null;
  // Prefix tokens stay whatever happens to patches.
  return (node) => node < nPrefix || Boolean(flags[node - nPrefix]);
}

/** Return 0 or 1 for each patch, or null where nothing is taken away. */
export function flagsNow(contents, state) {
  if (state.tab === "masks" && contents.masks) return contents.masks.kept(state.mask);
  if (state.tab === "curves" && contents.curves) return flagsOfCurve(contents, state);
  return null;
}

function flagsOfCurve(contents, state) {
  const { order, curves } = contents.curves;
  const { appears, greatestFirst } = curves[state.curve];
  const changed = Math.round(state.share * contents.nPatches);
  const flags = new Uint8Array(contents.nPatches).fill(appears ? 0 : 1);
  for (let place = 0; place < changed; place += 1) {
    const patch = greatestFirst ? order[place] : order[contents.nPatches - 1 - place];
    flags[patch] = appears ? 1 : 0;
  }
  return flags;
}

/** Return the confidence of a curve at a share of the image, between its points. */
export function confidenceAt(curve, share) {
  const { fraction, confidence } = curve;
  const after = fraction.findIndex((point) => point >= share);
  if (after <= 0) return confidence[after < 0 ? confidence.length - 1 : 0];
  const before = after - 1;
  const part = (share - fraction[before]) / (fraction[after] - fraction[before]);
  return confidence[before] + part * (confidence[after] - confidence[before]);
}
