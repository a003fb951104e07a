/**
 * The judge's sentences under threshold salting. CONTRIBUTING "Simulation". Each part key of a certified line comes from one
 * drawn seed. These seeds give the key of every cell and epoch, to all devices the same. Any t replicas answer with it.
 * A device uses a key only after t answers. No t − 1 replicas got all seeds of a shard, and no answer was given free.
 */
import { type Group, loadGroup, parts } from '@geotrace/core-wasm/voprf'
import {
  bytesToHex,
  type CertifiedRoster,
  decodeEvaluateAnswer,
  EVALUATE_PROTOCOL,
  encodeEvaluateRequest,
  equalBytes,
  hashToRosterName,
  isCertified,
  isVacant,
  requestToShape,
  rosterInForce,
  shardToReplicas,
  sheetEpochs,
  timeToEpoch,
} from '@geotrace/core-wasm/wire'
import { createMachine, type SimulatedFederation } from '@geotrace/node/testing'
import type { SeenEvaluation, SimulatedDevice } from './device.ts'
import type { FirstEpochs } from './first-epochs.ts'
import { cellToElement, elementToKey, lagrange, seedToScalar, type ToSecret, toScalar } from './models.ts'

/** Secrets by name, then the devices that used each secret, by its hex. Names are `shard/size/n` or `shard/cell/epoch`. */
export type SecretsSeen = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>

const JUDGE_ADDRESS = '/ip4/198.51.100.1/tcp/1'
const ANSWER_MS = 30_000
/** Any cell number will do, because nodes see blinded elements. */
const CELL = 0x1234_5678_9abcn

export async function judgeKeys(
  federation: SimulatedFederation,
  certified: readonly CertifiedRoster[],
  begins: FirstEpochs,
  devices: readonly SimulatedDevice[],
  secrets: SecretsSeen,
  findings: string[],
): Promise<ToSecret> {
  const group = await loadGroup()
  judgeCharges(federation, findings)
  judgeGiven(federation, begins, findings)
  const answers = await askAll(federation, certified, group, findings)
  const seen = [...devices.flatMap(({ evaluations }) => evaluations), ...answers]
  const toGroupKey = seedsOf(federation, begins, group, seen, findings)
  const known = new Map<string, string | undefined>()
  const toKey = (shard: number, cell: bigint, firstEpoch: number, epoch: number): string | undefined => {
    const name = `${shard}/${cell}/${firstEpoch}/${epoch}`
    if (known.has(name)) return known.get(name)
    const groupKey = toGroupKey(shard, firstEpoch, epoch)
    const key = groupKey && elementToKey(cell, group.multiply(groupKey, cellToElement(group, cell)))
    known.set(name, key)
    return key
  }
  judgeUse(federation, begins, devices, secrets, toKey, findings)
  judgeCombinations(federation, certified, group, answers, toGroupKey, findings)
  return (shard, size, n, cell) => {
    const epoch = Math.floor((n * size) / 80)
    return toKey(shard, cell, begins.toCounted(epoch), epoch)
  }
}

/** Every answer was charged first. A charge whose answer was lost costs too. */
function judgeCharges({ saltNodes, network, charged }: SimulatedFederation, findings: string[]): void {
  for (const { name } of saltNodes) {
    const [answers, charges] = [network.salted.get(name) ?? 0, charged.get(name) ?? 0]
    if (answers > charges) findings.push(`${name} evaluated ${answers} requests and charged ${charges}`)
  }
}

/** A replica gets the seeds of its own parts only, so that t − 1 replicas lack one. */
function judgeGiven({ network: { given } }: SimulatedFederation, { rosters }: FirstEpochs, findings: string[]): void {
  for (const { roster } of rosters) {
    const all = parts(roster.replicas, roster.threshold)
    for (let shard = 0; shard < roster.shards; shard++) {
      const own = shardToReplicas(roster, shard).map(({ key }, rank) =>
        all.flatMap((members, part) => {
          const name = `${bytesToHex(key)} ${shard} ${roster.firstEpoch} ${part}`
          return members.includes(rank) || given.has(name) ? [part] : []
        }),
      )
      for (const few of subsets(own, roster.threshold - 1)) {
        if (new Set(few.flat()).size === all.length)
          findings.push(`${few.length} replicas got all seeds of shard ${shard} from epoch ${roster.firstEpoch} on`)
      }
    }
  }
}

interface Answered extends SeenEvaluation {
  readonly name: string
  readonly rank: number
  /** The evaluated element of `CELL`. */
  readonly element: Uint8Array
}

/** Every node that holds a shard answers the judge. */
async function askAll(
  { scheduler, saltNodes, network }: SimulatedFederation,
  certified: readonly CertifiedRoster[],
  group: Group,
  findings: string[],
): Promise<Answered[]> {
  const epoch = timeToEpoch(scheduler.nowMs)
  const inForce = rosterInForce(certified, epoch)
  if (inForce === undefined) {
    findings.push('no roster is in force at the end')
    return []
  }
  const { roster, hash } = inForce
  const { request } = await network.dialer(createMachine(scheduler, 'judge').boot(), JUDGE_ADDRESS).open()
  const element = cellToElement(group, CELL)
  const answers: Answered[] = []
  const ask = async (name: string, key: Uint8Array, shard: number): Promise<void> => {
    const asked = {
      roster: hashToRosterName(hash),
      shard,
      wantsKeys: true,
      epochs: [epoch],
      elements: [[element, element]],
    }
    const frame = encodeEvaluateRequest(asked)
    const reply = await request({ key, addresses: [] }, EVALUATE_PROTOCOL, frame)
    const shape = requestToShape(asked, parts(roster.replicas, roster.threshold).length)
    const [first] = decodeEvaluateAnswer(reply, shape).epochs
    const rank = shardToReplicas(roster, shard).findIndex((replica) => equalBytes(replica.key, key))
    const own = { name, rank, node: bytesToHex(key), element: first!.evaluated[0]! }
    answers.push({ ...asked, ...own, partKeys: [first!.partKeys] })
  }
  const asking = saltNodes.flatMap(({ name, key, running }) =>
    (running?.status().shards ?? [])
      .filter(({ firstEpoch, held }) => held && firstEpoch === roster.firstEpoch)
      .map(({ shard }) =>
        ask(name, key, shard).catch((error: unknown) => {
          findings.push(`${name} gives no evaluation of shard ${shard}: ${error}`)
        }),
      ),
  )
  await scheduler.run(scheduler.nowMs + ANSWER_MS)
  await Promise.all(asking)
  return answers
}

type ToGroupKey = (shard: number, firstEpoch: number, epoch: number) => Uint8Array | undefined

/** Finds the drawn seed of each part whose certified keys were answered, and sums their scalars. */
function seedsOf(
  { drawn }: SimulatedFederation,
  { rosters }: FirstEpochs,
  group: Group,
  seen: readonly SeenEvaluation[],
  findings: string[],
): ToGroupKey {
  /** By shard and first epoch, a seed for each part. */
  const seeds = new Map<string, readonly (Uint8Array | undefined)[]>()
  const byKey = new Map<string, Map<string, Uint8Array>>()
  const seedOf = (key: Uint8Array, firstEpoch: number, epoch: number): Uint8Array | undefined => {
    const name = `${firstEpoch} ${epoch}`
    if (!byKey.has(name)) {
      const keyOf = (seed: Uint8Array): string =>
        bytesToHex(group.multiplyBase(toScalar(seedToScalar(seed, firstEpoch, epoch))))
      byKey.set(name, new Map(drawn.map((seed) => [keyOf(seed), seed])))
    }
    return byKey.get(name)!.get(bytesToHex(key))
  }
  for (const { roster: name, shard, epochs, partKeys } of seen) {
    const found = rosters.find(({ hash }) => equalBytes(hashToRosterName(hash), name))
    if (found === undefined || isVacant(found.roster, shard)) continue
    const { firstEpoch, sheets } = found.roster
    const sheet = { root: sheets[shard]!, firstEpoch, epochs: sheetEpochs(found.roster) }
    for (const [i, epoch] of epochs.entries()) {
      const keys = partKeys[i]
      if (keys === undefined || seeds.has(`${shard} ${firstEpoch}`) || !isCertified(sheet, epoch, keys)) continue
      const own = keys.keys.map((key) => seedOf(key, firstEpoch, epoch))
      seeds.set(`${shard} ${firstEpoch}`, own)
      for (const [part, seed] of own.entries())
        if (seed === undefined) findings.push(`part ${part} of shard ${shard} follows from no seed that a node drew`)
    }
  }
  return (shard, firstEpoch, epoch) => {
    const own = seeds.get(`${shard} ${firstEpoch}`)
    if (own === undefined || own.includes(undefined)) return undefined
    return toScalar(own.reduce((sum, seed) => sum + seedToScalar(seed!, firstEpoch, epoch), 0n))
  }
}

/** Every device used the keys that the seeds give, of the rosters that it may go by, and after t answers. */
function judgeUse(
  { manifest }: SimulatedFederation,
  { all }: FirstEpochs,
  devices: readonly SimulatedDevice[],
  secrets: SecretsSeen,
  toKey: (shard: number, cell: bigint, firstEpoch: number, epoch: number) => string | undefined,
  findings: string[],
): void {
  const { threshold } = manifest.parameters
  const answered = new Map(devices.map(({ name, evaluations }) => [name, countNodes(evaluations)]))
  for (const [name, values] of secrets) {
    const [shard, cell, epoch] = name.split('/') as [string, string, string]
    const rosters = all.filter((first) => first <= Number(epoch))
    const expected = rosters.flatMap((first) => toKey(Number(shard), BigInt(cell), first, Number(epoch)) ?? [])
    for (const [key, who] of values) {
      if (!expected.includes(key)) findings.push(`a key of shard ${shard}, epoch ${epoch} by ${who} is of no seed`)
    }
    for (const device of new Set([...values.values()].flat())) {
      const nodes = answered.get(device)?.get(`${shard} ${epoch}`) ?? 0
      if (nodes < threshold)
        findings.push(`${device} used a key of shard ${shard}, epoch ${epoch} after ${nodes} answers`)
    }
  }
}

/** The nodes that answered a device under one roster, at most, by shard and epoch. */
function countNodes(evaluations: readonly SeenEvaluation[]): Map<string, number> {
  const nodes = new Map<string, Set<string>>()
  for (const { node, roster, shard, epochs } of evaluations) {
    for (const epoch of epochs) {
      const name = `${bytesToHex(roster)} ${shard} ${epoch}`
      nodes.set(name, (nodes.get(name) ?? new Set()).add(node))
    }
  }
  const most = new Map<string, number>()
  for (const [name, own] of nodes) {
    const place = name.slice(name.indexOf(' ') + 1)
    most.set(place, Math.max(own.size, most.get(place) ?? 0))
  }
  return most
}

/** The answers of every t replicas combine to the element that the seeds give. */
function judgeCombinations(
  { scheduler }: SimulatedFederation,
  certified: readonly CertifiedRoster[],
  group: Group,
  answers: readonly Answered[],
  toGroupKey: ToGroupKey,
  findings: string[],
): void {
  const epoch = timeToEpoch(scheduler.nowMs)
  const inForce = rosterInForce(certified, epoch)
  if (inForce === undefined) return
  const { threshold, firstEpoch, shards } = inForce.roster
  for (let shard = 0; shard < shards; shard++) {
    const groupKey = toGroupKey(shard, firstEpoch, epoch)
    const expected = groupKey && group.multiply(groupKey, cellToElement(group, CELL))
    for (const some of subsets(
      answers.filter((answer) => answer.shard === shard),
      threshold,
    )) {
      const xs = some.map(({ rank }) => BigInt(rank + 1))
      const terms = some.map(({ element }, i) => group.multiply(toScalar(lagrange(xs, xs[i]!)), element))
      const sum = terms.reduce((a, b) => group.add(a, b))
      if (expected === undefined || !equalBytes(sum, expected))
        findings.push(`${some.map(({ name }) => name).join(', ')} give another key of shard ${shard} together`)
    }
  }
}

/** All ways to take `count` of the items. */
function subsets<T>(items: readonly T[], count: number): T[][] {
  if (count === 0) return [[]]
  return items.flatMap((item, i) => subsets(items.slice(i + 1), count - 1).map((rest) => [item, ...rest]))
}
