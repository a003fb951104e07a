/**
 * How far a published count may be from the truth, and from which count on a cell is shown. PROTOCOL.md §9.6. Pure.
 * Each count carries two noises of the law P(Z = z) = c · a^|z| with a = e^−ε and c = (1 − a) / (1 + a).
 * `epsilon` is in thousandths.
 */

/** Standard deviation of a published count. */
export function spreadDeviation(epsilon: number): number {
  const a = Math.exp(-epsilon / 1_000)
  return (2 * Math.sqrt(a)) / (1 - a)
}

/**
 * The least T at which a map of so many buckets shows at most half a cell out of nothing.
 * That is buckets · P(Z₁ + Z₂ ≥ T) ≤ ½. Counts below T read "no more than T".
 */
export function spreadThreshold(epsilon: number, buckets: number): number {
  let threshold = 1
  while (buckets * tail(Math.exp(-epsilon / 1_000), threshold) > 0.5) threshold++
  return threshold
}

/** P(Z₁ + Z₂ ≥ t) = Σ c² · a^s · (s + 1 + 2a² / (1 − a²)) over s ≥ t, for t ≥ 0. */
function tail(a: number, t: number): number {
  const c = (1 - a) / (1 + a)
  return c ** 2 * a ** t * ((t + 1 + (2 * a ** 2) / (1 - a ** 2)) / (1 - a) + a / (1 - a) ** 2)
}
