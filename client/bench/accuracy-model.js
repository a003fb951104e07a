/** The receiver's errors, the cells and the seeded numbers of the accuracy tables. */
export const LIMITS_M = [10, 20, 30, 50]
export const SIGMAS_M = [3, 5, 8, 12, 20]
/** A meeting: two people at most so far apart, the reach of droplets in a room with a margin. */
export const MEETING_M = 10
/** Other pairs: anywhere in this circle around the person, as in a street or a mall. */
export const AROUND_M = 60
export const BLOCK_MIN = 5
/** Independent readings of a receiver in a block. The diary keeps the one that claims to be the most accurate. */
const READINGS = 5
/** Receivers state the radius of 68 %, which is 1.51 σ for a normal error on both axes. */
export const STATED = Math.sqrt(-2 * Math.log(1 - 0.68))
/** The spread of σ from reading to reading, as the standard deviation of its logarithm. */
const SPREAD = 0.35
const METRES_PER_DEGREE = 111_195

/** How far the other person of a pair is, metres. Half of the pairs are meetings; `weight` undoes that. */
export function toOther(random, isMeeting) {
  const [least, most] = isMeeting ? [0, MEETING_M] : [MEETING_M, AROUND_M]
  const apart = Math.sqrt(least ** 2 + random() * (most ** 2 - least ** 2))
  const turn = 2 * Math.PI * random()
  const weight = isMeeting ? MEETING_M ** 2 : AROUND_M ** 2 - MEETING_M ** 2
  return { weight, by: [apart * Math.cos(turn), apart * Math.sin(turn)] }
}

/** The best of the readings of a block. `toPlace` gives the true place of each, `toSigma` its noise on each axis, metres. */
export function bestReading(random, toPlace, toSigma) {
  let best = { accuracyM: Number.POSITIVE_INFINITY }
  for (let i = 0; i < READINGS; i++) {
    const place = toPlace()
    const sigma = toSigma(place) * Math.exp(SPREAD * normal(random))
    const at = { ...moved(place, [sigma * normal(random), sigma * normal(random)]), accuracyM: STATED * sigma }
    if (at.accuracyM < best.accuracyM) best = at
  }
  return best
}

export function moved({ lat, lng }, [x, y]) {
  const perDegree = METRES_PER_DEGREE * Math.cos((lat * Math.PI) / 180)
  return { lat: lat + y / METRES_PER_DEGREE, lng: lng + x / perDegree }
}

export function sharesCell(core, a, b) {
  const cells = new Set(core.fixToCells(a.lat, a.lng))
  return core.fixToCells(b.lat, b.lng).some((cell) => cells.has(cell))
}

/** Weighted counts of pairs for each limit. */
export function tally() {
  const counts = LIMITS_M.map(() => ({ met: 0, found: 0, both: 0 }))
  return {
    add(isFound, isMeeting, weight) {
      for (const [l, found] of isFound.entries()) {
        if (isMeeting) counts[l].met += weight
        if (found) counts[l].found += weight
        if (found && isMeeting) counts[l].both += weight
      }
    },
    shares: () =>
      counts.map(({ met, found, both }) => ({
        recall: met === 0 ? undefined : both / met,
        precision: found === 0 ? undefined : both / found,
      })),
  }
}

function normal(random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** Numerical Recipes' linear congruential generator: equal rows on every machine. */
export function seeded(state) {
  let next = state
  return () => {
    next = (Math.imul(next, 1664525) + 1013904223) >>> 0
    return next / 2 ** 32
  }
}

/** A table of the README: `heads` before the limits, and for each row its labels and shares. */
export function toTable(heads, rows) {
  const percent = (share) => (share === undefined ? '–' : `${Math.round(100 * share)}`)
  return [
    `| ${[...heads, ...LIMITS_M.map((limit) => `limit ${limit} m`)].join(' | ')} |`,
    `|${' --: |'.repeat(heads.length + LIMITS_M.length)}`,
    ...rows.map(
      ({ labels, cells }) =>
        `| ${[...labels, ...cells.map(({ recall, precision }) => `${percent(recall)} / ${percent(precision)}`)].join(' | ')} |`,
    ),
  ].join('\n')
}
