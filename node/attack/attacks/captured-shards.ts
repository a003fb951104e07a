/**
 * A12: operators who collude hope to hold t replicas of a shard. Thousands of foundings are drawn by the rules of the
 * protocol. The second part lets the colluders grind: they stop foundings, and they choose among the ranks of a newcomer.
 */
import { drawRank, type Roster, type RosterPeer, shardToReplicas } from '@geotrace/core-wasm/wire'
import { admissionChance, admissionDraws, captureChance, foundingChance } from '../../src/membership/rank-odds.ts'
import { seededRandom } from '../../src/testing/simulated/seeded-random.ts'
import type { Attack, Figure } from '../lab/attack.ts'
import type { Lab } from '../lab/lab.ts'

const OPERATORS = 30
const COLLUDING = 5
const FOUNDINGS = 1_000
/** Standard errors of the sample that a fair draw stays within; one run in 15,000 exceeds them. */
const ERRORS_MAX = 4
const FIRST_SHARD = 0

export const capturedShards: Attack = {
  name: 'A12',
  title: 'Operators who collude capture a shard, also by grinding ranks',
  attacker: 'five of 30 operators, before and at the founding, and when a newcomer joins',
  meaning: 'The share of foundings in which the five hold enough replicas of a chosen shard.',
  limit:
    'A shard that was captured stays captured, because ranks stay. Colluders who also stop foundings or withhold nonces reach the chances in the other figures. Two thirds of the operators break everything. `geotrace federation odds` gives the chances of any federation.',
  isQuick: true,
  run: (lab) => Promise.resolve(draw(lab)),
}

function draw({ certified }: Lab): Figure {
  const { replicas, threshold } = certified.roster
  const random = seededRandom('foundings')
  const keys = Array.from({ length: OPERATORS }, () => random.bytes(32))
  const captured = Array.from({ length: FOUNDINGS }, () => {
    const nonces = keys.map(() => random.bytes(32))
    const held = shardToReplicas(founded(certified.roster, keys, nonces), FIRST_SHARD)
    return held.filter(({ operator }) => operator < COLLUDING).length >= threshold
  }).filter((isCaptured) => isCaptured).length
  const shape = { operators: OPERATORS, replicas, threshold, colluding: COLLUDING }
  const [share, chance] = [captured / FOUNDINGS, captureChance(shape)]
  const error = Math.sqrt((chance * (1 - chance)) / FOUNDINGS)
  const holds = Math.abs(share - chance) <= ERRORS_MAX * error
  const more = {
    foundings: FOUNDINGS,
    'by the formula, %': 100 * chance,
    'foundings stopped and repeated, %': 100 * foundingChance(shape),
    'a newcomer holds it, nonces withheld, %': 100 * admissionChance(shape, admissionDraws(shape)),
  }
  const rule = `within ${ERRORS_MAX} standard errors of a fair draw`
  return { value: 100 * share, unit: '% of the foundings', gate: { rule, holds }, more }
}

/** The founding roster of 30 operators with a node each; the first five collude. */
function founded(roster: Roster, keys: readonly Uint8Array[], nonces: readonly Uint8Array[]): Roster {
  const operators = keys.map((key, i) => ({ name: `operator-${i}`, key, rank: drawRank(key, nonces) }))
  const members = keys.map((key, operator): RosterPeer => ({ key, operator, addresses: [], moved: 0 }))
  return { ...roster, operators, members }
}
