/** Shuffles items by injected randomness (Fisher–Yates), so that no replica gets more than its share of requests. */
export function shuffle<T>(items: readonly T[], random: (n: number) => Uint8Array): T[] {
  const out = [...items]
  for (let i = out.length - 1; i > 0; i--) {
    const bytes = random(4)
    const j = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) % (i + 1)
    ;[out[i], out[j]] = [out[j]!, out[i]!]
  }
  return out
}
