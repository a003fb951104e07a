/**
 * Chances that operators who collude hold a chosen shard, with the draws that they can get by withholding nonces.
 * PROTOCOL.md §4.2, §4.9; PRIVACY.md "Who holds a shard". Pure. A rank is a uniform draw, so the chances are exact.
 */
import { quorum } from '@geotrace/core-wasm/wire'

export interface Shape {
  /** Operators with salt nodes. The authority votes too and holds no shard. */
  operators: number
  /** Replicas of a shard, R. */
  replicas: number
  /** Replicas that must collude to learn the secrets of a shard, t. */
  threshold: number
  /** Operators that collude. */
  colluding: number
}

/** The chance that at least `threshold` of the replicas of a chosen shard collude, when each operator has one rank. */
export function captureChance({ operators, replicas, threshold, colluding }: Shape): number {
  let chance = 0
  for (let held = threshold; held <= Math.min(replicas, colluding); held++) {
    chance += chooseRatio(operators, replicas, colluding, held)
  }
  return chance
}

/** The chance that one of several independent draws succeeds. */
export function bestOf(chance: number, draws: number): number {
  return draws === Number.POSITIVE_INFINITY ? Math.ceil(chance) : 1 - (1 - chance) ** draws
}

/**
 * The chance when colluders stop each founding whose ranks they do not like, by withholding a nonce. Each time one of
 * them shows itself, and the others found again without it.
 */
export function foundingChance(shape: Shape): number {
  let missed = 1
  for (let left = 0; left <= shape.colluding; left++) {
    const rest = { ...shape, operators: shape.operators - left, colluding: shape.colluding - left }
    if (rest.operators < shape.replicas) break
    missed *= 1 - captureChance(rest)
  }
  return 1 - missed
}

/**
 * The sets of nonces that colluding operators can leave open, once they see the nonces of the others: 2^f. Infinite when
 * the others alone are no quorum, because then the colluders can let a new operator wait for new nonces, again and again.
 */
export function admissionDraws({ operators, colluding }: Pick<Shape, 'operators' | 'colluding'>): number {
  const voters = operators + 1
  return voters - colluding < quorum(voters) ? Number.POSITIVE_INFINITY : 2 ** colluding
}

/**
 * The chance that a new operator comes to hold a chosen shard when the best of `draws` ranks counts. It fails when the R
 * lowest of all `operators` + `draws` ranks belong to the others, who keep theirs.
 */
export function admissionChance({ operators, replicas }: Pick<Shape, 'operators' | 'replicas'>, draws: number): number {
  if (draws === Number.POSITIVE_INFINITY) return 1
  let missed = 1
  for (let i = 1; i <= replicas; i++) {
    const others = operators - replicas + i
    missed *= others / (others + draws)
  }
  return 1 - missed
}

/** Hypergeometric: the chance that `held` of `colluding` operators are among `replicas` drawn from `operators`. */
function chooseRatio(operators: number, replicas: number, colluding: number, held: number): number {
  const honest = operators - colluding
  if (replicas - held > honest) return 0
  return (choose(colluding, held) * choose(honest, replicas - held)) / choose(operators, replicas)
}

/** n over k. R is at most 15 and n at most 300, so the value is at most 1e25 and the error a few ulp. */
function choose(n: number, k: number): number {
  let value = 1
  for (let i = 1; i <= k; i++) value = (value * (n - k + i)) / i
  return value
}
