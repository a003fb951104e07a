/**
 * A3: the central database and the seeds of t − 1 replicas. Every set of t − 1 replicas adds up all part secrets that it
 * knows, and combines its shares as if t − 1 sufficed. The lab even shows it the cells where people were.
 */
import { rankToWeights, respondersToWeights, secretsToShare, weightsToScalars } from '@geotrace/core-wasm/voprf'
import { type Attack, exactly, type Figure, type NotRun } from '../lab/attack.ts'
import { evaluateAlone, setsOf } from '../lab/evaluations.ts'
import type { Lab } from '../lab/lab.ts'
import { locate, visitedCells } from '../lab/map.ts'
import { blockIsIn, knownTo, partScalars } from '../lab/seeds.ts'

export const tooFewNodes: Attack = {
  name: 'A3',
  title: 'The database and the seeds of t − 1 replicas',
  attacker: 'the central database, the seeds of any t − 1 replicas of the shard, and the cells where people were',
  meaning: 'The hashes of the database that the attacker can compute.',
  limit:
    'With t replicas everything can be read: A4. With t − 1 replicas the attacker still sees when which address asked. It can also evaluate with the help of one honest replica, within the quota of A1.',
  isQuick: true,
  run: async (lab) => (lab.certified.roster.threshold === 1 ? NO_NODES : await tryAll(lab)),
}

const NO_NODES: NotRun = { notRun: 't − 1 is 0 here: the attacker has the database alone' }

async function tryAll(lab: Lab): Promise<Figure> {
  const { certified, group, epoch, rows } = lab
  const { replicas, threshold } = certified.roster
  const scalars = await partScalars(lab, epoch)
  const cells = visitedCells(lab)
  const sets = setsOf(replicas, threshold - 1)
  let [value, tried] = [0, 0]
  for (const ranks of sets) {
    const known = knownTo(lab, ranks).map((part) => scalars[part]!)
    const shares = ranks.map((rank) =>
      secretsToShare(group, rankToWeights(replicas, threshold, rank), (part) => scalars[part]!),
    )
    const lambdas = weightsToScalars(group, respondersToWeights(ranks))
    const combined = shares.map((share, i) => group.scalarMultiply(lambdas[i]!, share))
    for (const guess of [known, combined].map((items) => items.reduce(group.scalarAdd))) {
      const found = locate(lab, cells, (cell, size, n) =>
        blockIsIn(epoch, size, n) ? evaluateAlone(lab, guess, cell) : undefined,
      )
      value += found.size
      tried++
    }
  }
  const more = { 'hashes in the database': rows.length, 'keys tried': tried, 'cells tried with each': cells.length }
  return { value, unit: 'hashes put on the map', gate: exactly(value, 0, 'hashes'), more }
}
