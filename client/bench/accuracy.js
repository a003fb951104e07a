/**
 * `node client/bench/accuracy.js`: the share of meetings that are found, and the share of findings that are meetings. Both depend
 * on the noise of positions, the limit `accuracyM` and the length of the stay. Seeded, with the real cells. README "Accuracy".
 */
import { loadCore } from '@geotrace/core-wasm'
import {
  BLOCK_MIN,
  bestReading,
  LIMITS_M,
  moved,
  SIGMAS_M,
  seeded,
  sharesCell,
  tally,
  toOther,
  toTable,
} from './accuracy-model.js'
import { trackRows } from './accuracy-tracks.js'

const DWELLS_MIN = [5, 15, 60]
const PAIRS = 6_000
const PLACE = { lat: 52.52, lng: 13.405 }
/** A still phone under `readingPace` reads in each third block. */
const PACES = [1, 3]
const PACE_SIGMA_M = 5
const PACE_DWELLS_MIN = [5, 15, 20, 60]

/** One row for each noise and dwell: recall and precision for each limit. */
function stayRows(core) {
  const random = seeded(20261130)
  return SIGMAS_M.flatMap((sigma) =>
    DWELLS_MIN.map((dwell) => ({
      labels: [`${sigma} m`, `${dwell} min`],
      cells: toCells(core, random, { sigma, blocks: dwell / BLOCK_MIN, every: 1 }),
    })),
  )
}

/** The cost of reading seldom while two phones keep still. */
function paceRows(core) {
  const random = seeded(20261201)
  return PACE_DWELLS_MIN.flatMap((dwell) =>
    PACES.map((every) => ({
      labels: [`${dwell} min`, `each ${every * BLOCK_MIN} min`],
      cells: toCells(core, random, { sigma: PACE_SIGMA_M, blocks: dwell / BLOCK_MIN, every }),
    })),
  )
}

function toCells(core, random, { sigma, blocks, every }) {
  const counts = tally()
  for (let i = 0; i < PAIRS; i++) {
    const isMeeting = i % 2 === 0
    const { weight, by } = toOther(random, isMeeting)
    const one = moved(PLACE, [200 * random(), 200 * random()])
    const other = moved(one, by)
    const isFound = LIMITS_M.map(() => false)
    const phase = Math.floor(every * random())
    for (let block = phase; block < phase + blocks; block++) {
      if (block % every !== 0) continue
      const [a, b] = [one, other].map((place) =>
        bestReading(
          random,
          () => place,
          () => sigma,
        ),
      )
      const shared = sharesCell(core, a, b)
      for (const [l, limit] of LIMITS_M.entries()) isFound[l] ||= shared && a.accuracyM <= limit && b.accuracyM <= limit
    }
    counts.add(isFound, isMeeting, weight)
  }
  return counts.shares()
}

if (import.meta.url === `file://${process.argv[1]}`) {
  const core = await loadCore()
  console.log(`${toTable(['σ', 'stay'], stayRows(core))}\n`)
  console.log(`${toTable(['stay', 'a still phone reads'], paceRows(core))}\n`)
  const tracks = await trackRows(core)
  console.log(
    tracks === undefined
      ? '*** SKIPPED: no tracks in ../shared/traces ***'
      : toTable(['track', 'σ', 'together'], tracks),
  )
}
