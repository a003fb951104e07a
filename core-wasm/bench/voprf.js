/**
 * `npm run bench -- voprf`: evaluations of the salting threshold against @noble/curves and against X25519 of node:crypto, in
 * CPU time of this process. It measures the group, a node's evaluation of 36 elements with its proof, and the work of a
 * client for one sync with three nodes. Minima of interleaved rounds.
 */
import { diffieHellman, generateKeyPairSync, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { ristretto255, ristretto255_oprf } from '@noble/curves/ed25519.js'
import {
  blindInput,
  evaluating,
  finalize,
  isValidEvaluation,
  loadGroup,
  randomElement,
  randomScalar,
  respondersToWeights,
} from '../dist/voprf/index.js'
import { interleaved, row } from './rounds.js'

const BATCH = 36
const NODES = 3
const ROUNDS = 12
const NOBLE_ROUNDS = 4
const X25519_PER_ROUND = 400
const MULTIPLICATIONS = 60
/** Real cells and padded elements of a sync: three hours on foot, an hour on foot, a stay of an hour. */
const SYNCS = [
  { name: 'client, 216 cells, three nodes', cells: 216, padded: 216 },
  { name: 'client, an hour on foot (72 cells)', cells: 72, padded: 108 },
  { name: 'client, a stay of an hour (18 cells in 24)', cells: 18, padded: 24 },
]
const CORE_HOUR_NS = 3_600e9

export async function rows({ progress }) {
  const group = await loadGroup()
  const random = (length) => new Uint8Array(randomBytes(length))
  const world = toWorld(group, random)
  const contenders = {
    x25519: () => perCall(world.exchange, X25519_PER_ROUND),
    multiply: () => perCall(world.multiply, MULTIPLICATIONS),
    evaluate: () => perCall(() => world.evaluate(BATCH), 1) / BATCH,
    ...Object.fromEntries(SYNCS.map((sync) => [sync.name, () => perCall(() => world.sync(sync), 1)])),
    naive: () => perCall(() => world.naiveEvaluate(BATCH), 1) / BATCH,
    nobleMultiply: few(() => perCall(world.nobleMultiply, MULTIPLICATIONS / 4)),
    nobleEvaluate: few(() => perCall(world.nobleEvaluate, 1) / BATCH),
  }
  progress('voprf: warming up …')
  for (const run of Object.values(contenders)) await run(0)
  const best = await interleaved(contenders, ROUNDS, (round) => progress(`voprf: round ${round + 1} of ${ROUNDS}`))
  const bytes = readFileSync(new URL('../build/ristretto.wasm', import.meta.url))
  return [
    row('scalar multiplication', '@noble/curves', best.multiply, best.nobleMultiply),
    row(`evaluate and prove, an element of ${BATCH}`, '@noble/curves', best.evaluate, best.nobleEvaluate),
    row(`evaluate and prove, an element of ${BATCH}`, 'the group alone', best.evaluate, best.naive),
    { name: 'scalar multiplication (X25519)', against: '', ours: best.multiply / best.x25519 },
    { name: `evaluate and prove, an element of ${BATCH} (X25519)`, against: '', ours: best.evaluate / best.x25519 },
    { name: 'elements that a node evaluates in a core-hour', against: '', ours: CORE_HOUR_NS / best.evaluate },
    ...SYNCS.map(({ name }) => ({ name: `${name} (X25519)`, against: '', ours: best[name] / best.x25519 })),
    { name: 'the group (bytes)', against: 'gzip −9', ours: gzipSync(bytes, { level: 9 }).length },
  ]
}

/** The work of each contender on keys of this run. */
function toWorld(group, random) {
  const scalar = () => randomScalar(group, random)
  const keys = Array.from({ length: NODES }, () => {
    const secret = scalar()
    return { secret, public: group.multiplyBase(secret) }
  })
  const evaluate = (key, blinded) => {
    const steps = evaluating(group, key, blinded, scalar())
    for (let step = steps.next(); ; step = steps.next()) if (step.done) return step.value
  }
  const batches = new Map()
  const batchOf = (count) => {
    if (!batches.has(count))
      batches.set(
        count,
        Array.from({ length: count }, () => randomElement(group, random)),
      )
    return batches.get(count)
  }
  const answers = new Map()
  const answersOf = (count) => {
    if (!answers.has(count))
      answers.set(
        count,
        keys.map((key) => evaluate(key, batchOf(count))),
      )
    return answers.get(count)
  }
  const [one, two] = [generateKeyPairSync('x25519'), generateKeyPairSync('x25519')]
  const [factor, element] = [scalar(), randomElement(group, random)]
  const point = ristretto255.Point.fromBytes(element)
  const value = ristretto255.Point.Fn.fromBytes(factor)
  const { voprf } = ristretto255_oprf
  return {
    exchange: () => diffieHellman({ privateKey: one.privateKey, publicKey: two.publicKey }),
    multiply: () => group.multiply(factor, element),
    nobleMultiply: () => point.multiply(value).toBytes(),
    evaluate: (count) => evaluate(keys[0], batchOf(count)),
    /** The same work without sums of multiples: two multiplications and an addition for each element. */
    naiveEvaluate(count) {
      const weights = answersOf(count)[0].evaluated.map(() => factor)
      const m = batchOf(count)
        .map((item, i) => group.multiply(weights[i], item))
        .reduce(group.add)
      for (const item of batchOf(count)) group.multiply(keys[0].secret, item)
      group.multiply(factor, group.multiply(factor, m))
      group.multiplyBase(factor)
    },
    nobleEvaluate: () => voprf.blindEvaluateBatch(keys[0].secret, keys[0].public, batchOf(BATCH)),
    /** Blinds the cells, checks the proofs of three nodes in batches of 36, and combines. */
    sync({ cells, padded }) {
      const inputs = Array.from({ length: cells }, () => random(8))
      const blinds = inputs.map(scalar)
      for (const [i, input] of inputs.entries()) blindInput(group, input, blinds[i])
      for (let i = cells; i < padded; i++) randomElement(group, random)
      for (let left = padded; left > 0; left -= BATCH) {
        const count = Math.min(left, BATCH)
        for (const [j, answer] of answersOf(count).entries()) {
          if (!isValidEvaluation(group, keys[j].public, batchOf(count), answer))
            throw new Error('an honest proof fails')
        }
      }
      const unblinds = group.scalarInvert(blinds)
      const { factors, inverse } = respondersToWeights([0, 2, 4])
      for (const [i, input] of inputs.entries()) {
        finalize(group, input, factors, group.scalarMultiply(inverse, unblinds[i]), batchOf(BATCH).slice(0, NODES))
      }
    },
  }
}

/** CPU nanoseconds of one call. */
function perCall(run, calls) {
  const before = process.cpuUsage()
  for (let i = 0; i < calls; i++) run()
  const { user, system } = process.cpuUsage(before)
  return ((user + system) * 1_000) / calls
}

/** Noble is slow, so it runs in the first rounds only. */
function few(run) {
  return (round) => (round < NOBLE_ROUNDS ? run() : Number.POSITIVE_INFINITY)
}
