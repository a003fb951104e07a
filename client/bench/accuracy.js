/**
 * `node client/bench/accuracy.js`: the share of meetings that are found, and the share of findings that are meetings. Both depend
 * on the noise of positions, the limit `accuracyM` and the length of the stay. Seeded, with the real cells. README "Accuracy".
 */
import { loadCore } from '@geotrace/core-wasm'

const LIMITS_M = [10, 20, 30, 50]
const SIGMAS_M = [3, 5, 8, 12, 20]
const DWELLS_MIN = [5, 15, 60]
/** A meeting: two people at most so far apart, the reach of droplets in a room with a margin. */
const MEETING_M = 10
/** Other pairs: anywhere in this circle around the person, as in a street or a mall. */
const AROUND_M = 60
const PAIRS = 6_000
const BLOCK_MIN = 5
/** Independent readings of a receiver in a block. The diary keeps the one that claims to be the most accurate. */
const READINGS = 5
/** Receivers state the radius of 68 %, which is 1.51 σ for a normal error on both axes. */
const STATED = Math.sqrt(-2 * Math.log(1 - 0.68))
/** The spread of σ from reading to reading, as the standard deviation of its logarithm. */
const SPREAD = 0.35
const METRES_PER_DEGREE = 111_195
const PLACE = { lat: 52.52, lng: 13.405 }

/** One row for each noise and dwell: recall and precision for each limit. */
async function accuracyRows(pairs = PAIRS) {
  const core = await loadCore()
  const random = seeded(20261130)
  return SIGMAS_M.flatMap((sigma) =>
    DWELLS_MIN.map((dwell) => ({ sigma, dwell, cells: toCells(core, random, sigma, dwell / BLOCK_MIN, pairs) })),
  )
}

function toCells(core, random, sigma, blocks, pairs) {
  const counts = LIMITS_M.map(() => ({ met: 0, found: 0, both: 0 }))
  for (let i = 0; i < pairs; i++) {
    // Half of the pairs are meetings, so that precision does not depend on rare ones; the weights below undo it.
    const isMeeting = i % 2 === 0
    const [least, most] = isMeeting ? [0, MEETING_M] : [MEETING_M, AROUND_M]
    const apart = Math.sqrt(least ** 2 + random() * (most ** 2 - least ** 2))
    const weight = isMeeting ? MEETING_M ** 2 : AROUND_M ** 2 - MEETING_M ** 2
    const turn = 2 * Math.PI * random()
    const start = [200 * random(), 200 * random()]
    const other = [start[0] + apart * Math.cos(turn), start[1] + apart * Math.sin(turn)]
    const isFound = LIMITS_M.map(() => false)
    for (let block = 0; block < blocks; block++) {
      const [a, b] = [reading(random, sigma, start), reading(random, sigma, other)]
      const shared = sharesCell(core, a, b)
      for (const [l, limit] of LIMITS_M.entries()) isFound[l] ||= shared && a.accuracyM <= limit && b.accuracyM <= limit
    }
    for (const [l, found] of isFound.entries()) {
      if (isMeeting) counts[l].met += weight
      if (found) counts[l].found += weight
      if (found && isMeeting) counts[l].both += weight
    }
  }
  return counts.map(({ met, found, both }) => ({
    recall: both / met,
    precision: found === 0 ? undefined : both / found,
  }))
}

/** The best of the readings of a block, in metres around a place. */
function reading(random, sigma, [x, y]) {
  let best = { accuracyM: Number.POSITIVE_INFINITY }
  for (let i = 0; i < READINGS; i++) {
    const own = sigma * Math.exp(SPREAD * normal(random))
    const at = { x: x + own * normal(random), y: y + own * normal(random), accuracyM: STATED * own }
    if (at.accuracyM < best.accuracyM) best = at
  }
  return best
}

function sharesCell(core, a, b) {
  const cells = new Set(toFixCells(core, a))
  return toFixCells(core, b).some((cell) => cells.has(cell))
}

function toFixCells(core, { x, y }) {
  const lat = PLACE.lat + y / METRES_PER_DEGREE
  return core.fixToCells(lat, PLACE.lng + x / (METRES_PER_DEGREE * Math.cos((PLACE.lat * Math.PI) / 180)))
}

function normal(random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** Numerical Recipes' linear congruential generator: equal rows on every machine. */
function seeded(state) {
  let next = state
  return () => {
    next = (Math.imul(next, 1664525) + 1013904223) >>> 0
    return next / 2 ** 32
  }
}

/** The table of the README. */
function toTable(rows) {
  const percent = (share) => (share === undefined ? '–' : `${Math.round(100 * share)}`)
  const head = `| σ | stay | ${LIMITS_M.map((limit) => `limit ${limit} m`).join(' | ')} |`
  const line = `| --: | --: |${LIMITS_M.map(() => ' --: |').join('')}`
  return [
    ...[head, line],
    ...rows.map(
      ({ sigma, dwell, cells }) =>
        `| ${sigma} m | ${dwell} min | ${cells.map(({ recall, precision }) => `${percent(recall)} / ${percent(precision)}`).join(' | ')} |`,
    ),
  ].join('\n')
}

if (import.meta.url === `file://${process.argv[1]}`) console.log(toTable(await accuracyRows()))
