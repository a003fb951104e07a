// Three hours of walking with one salt for all points, because the bench does not time the making of salts.
export const fixes = Array.from({ length: 36 }, (_, i) => ({
  lat: 51.5 + i * 0.003,
  lng: -0.12 + i * 0.002,
  at: 1_760_000_000_000 + i * 300_000,
}))
export const salt = new Uint8Array(32).fill(7)
