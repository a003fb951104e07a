/**
 * Compares the end of a history with plain models. Every device ended with the salts of the pinned roster. The central peer
 * holds every row once, and no row is lost. Devices have the marks of the rule. Every node serves again.
 * Each finding is a sentence. A good history has no finding.
 */
import { createHash } from 'node:crypto'
import {
  answerToSalts,
  bytesToHex,
  type CertifiedRoster,
  decodeChange,
  encodeSaltRequest,
  equalBytes,
  hashToRosterName,
  isGone,
  MINUTE_MS,
  metaToRow,
  RISK_HASH_BYTES,
  ROW_BYTES,
  type Roster,
  rosterInForce,
  SALT_PROTOCOL,
  timeToEpoch,
} from '@geotrace/core-wasm/wire'
import { createMachine, type SimulatedFederation } from '@geotrace/node/testing'
import { readTotals } from '../../src/device/totals.ts'
import { timeToFixBlock } from '../../src/diary/fix-block.ts'
import { FIX_FAMILIES, readHashed, readWaiting } from '../../src/diary/fix-states.ts'
import { KEYS, keyToNumber } from '../../src/storage/key-layout.ts'
import type { SimulatedDevice } from './device.ts'
import { type FirstEpochs, firstEpochs, rostersOf } from './first-epochs.ts'
import { judgeKeys, type SecretsSeen } from './judge-keys.ts'
import {
  addRows,
  fixToRows,
  fixToShards,
  isGraver,
  type ModelMark,
  type ModelRow,
  reportToMarks,
  seedToSalt,
  type ToSecret,
} from './models.ts'

export interface Findings {
  readonly findings: readonly string[]
  readonly secrets: number
  readonly rows: number
  readonly marks: number
  readonly fixesLost: number
  readonly liesCaught: number
  /** Nodes that applied to join, nodes that a roster admitted, and admitted nodes that hold shards at the end. */
  readonly nodesJoined: number
  readonly nodesAdmitted: number
  readonly nodesSettled: number
  /** Answers with salts that the nodes that joined have sent. */
  readonly saltsOfJoined: number
  /** Pinned epochs for which another roster is in force at the end, because its certificate was complete after the pin. */
  readonly epochsOvertaken: number
}

export async function judge(
  federation: SimulatedFederation,
  devices: readonly SimulatedDevice[],
  secrets: SecretsSeen,
): Promise<Findings> {
  const findings = [...federation.complaints, ...federation.network.failures]
  const { scheduler, saltNodes, central, lostShards, lied, left, joined } = federation
  const certified = rostersOf(federation)
  const newest = certified.at(-1)?.roster
  for (const { name, key, running } of saltNodes) {
    const status = running?.status()
    const isOut = newest !== undefined && isOutOf(newest, key)
    // A node with proven evidence, or one that asked to leave, keeps its shards to their end. A node that joins waits.
    const mayBeOut = lied.has(name) || left.has(name) || (joined.has(name) && !isGone(newest!, key))
    if (isOut && !mayBeOut) findings.push(`${name} is not in the roster, without a lie or a leave`)
    // The shards below say which seeds may be missing.
    const seated = ['serving', 'seeds-missing']
    const expected = isOut ? [...seated, 'draining', 'waiting'] : seated
    if (!expected.includes(status?.state ?? '')) {
      findings.push(`${name} is ${status?.state ?? 'down'} after all faults ended`)
    }
    for (const { shard, held } of status?.shards ?? []) {
      if (!held && !lostShards.has(shard)) findings.push(`${name} does not hold shard ${shard} again`)
    }
  }
  if (central.running?.status().state !== 'serving') findings.push('the central peer does not serve')

  judgeRosters(federation, certified, findings)
  judgeRanks(certified, findings)
  await judgePins(federation, newest, devices, findings)
  const joins = judgeJoins(federation, certified, findings)
  const saltsOfJoined = [...joined].reduce((sum, name) => sum + (federation.network.salted.get(name) ?? 0), 0)
  const begins = firstEpochs(federation)
  const toSecret =
    federation.manifest.parameters.salting === 'plain'
      ? await judgePlain(federation, certified, begins, secrets, findings)
      : await judgeKeys(federation, certified, begins, devices, secrets, findings)
  const deposited = await judgeRows(federation, devices, toSecret, findings)
  const marks = await judgeMarks(federation, devices, deposited, findings)
  let fixesLost = 0
  for (const { storage } of devices) fixesLost += (await readTotals(storage)).fixesLost
  const results = devices.flatMap(({ outcomes }) => outcomes.flatMap(({ result }) => result ?? []))
  federation.trace.note(scheduler.nowMs, `findings ${findings.join('; ')}`)
  return {
    findings,
    secrets: secrets.size,
    rows: [...deposited.values()].reduce((sum, rows) => sum + rows.size, 0),
    marks,
    fixesLost,
    liesCaught: results.reduce((sum, { nodesLied }) => sum + nodesLied, 0),
    ...joins,
    nodesJoined: joined.size,
    saltsOfJoined,
    epochsOvertaken: countOvertaken(federation, certified),
  }
}

/** Every peer has the same rosters, up to the newest roster of any peer. */
function judgeRosters(
  { saltNodes, central }: SimulatedFederation,
  certified: readonly CertifiedRoster[],
  findings: string[],
): void {
  const others = certified.map(({ hash }) => bytesToHex(hash))
  for (const { name, running } of [...saltNodes, central]) {
    const rosters = running?.membership()?.rosters
    if (rosters === undefined) continue
    const own = rosters.recent.map(({ hash }) => bytesToHex(hash))
    const at = others.findIndex((hash, height) => own[height] !== hash)
    if (at >= 0) findings.push(`${name} ${own[at] === undefined ? 'lacks the' : 'has another'} roster of height ${at}`)
  }
}

/**
 * Checks each node that joined against PROTOCOL.md §4.8, §4.9. Its sponsors endorsed the node, and one roster admitted it.
 * The node of a new operator waits for the rank of its operator, the node of another one is a newcomer at once. One roster
 * later it is a member. `judge` checks for every node that it holds its shards.
 */
function judgeJoins(
  { saltNodes, joined }: SimulatedFederation,
  certified: readonly CertifiedRoster[],
  findings: string[],
): Pick<Findings, 'nodesAdmitted' | 'nodesSettled'> {
  const rosters = certified.map(({ roster }) => roster)
  let nodesAdmitted = 0
  let nodesSettled = 0
  for (const { name, key, running } of saltNodes) {
    if (!joined.has(name)) continue
    const heights = (list: 'admitted' | 'newcomers' | 'members'): number[] =>
      rosters.flatMap((roster, height) => (roster[list].some((peer) => equalBytes(peer.key, key)) ? [height] : []))
    const [admitted, newcomer, member] = [heights('admitted'), heights('newcomers'), heights('members')]
    const join = joinIn(rosters, key)
    if (join === undefined) {
      if (admitted.length + newcomer.length + member.length > 0)
        findings.push(`${name} is listed and no roster made its join`)
      continue
    }
    nodesAdmitted++
    if (!hasSponsors(join, rosters[join.height - 1])) findings.push(`${name} was admitted without sponsors`)
    const isRanked = (height: number): boolean =>
      rosters[height]!.operators.some(
        (operator) => equalBytes(operator.key, join.operatorKey) && operator.rank !== null,
      )
    if (admitted.some(isRanked)) findings.push(`${name} waited in ${admitted} although its operator has a rank`)
    // A node that leaves meanwhile is in neither list.
    const due = (admitted.at(-1) ?? join.height - 1) + 1
    if (newcomer.length > 1 || newcomer.some((height) => height !== due))
      findings.push(`${name} joined in ${join.height}, waited in ${admitted} and was a newcomer in ${newcomer}`)
    if (member.length > 0 && member[0] !== newcomer[0]! + 1)
      findings.push(`${name} was a newcomer in ${newcomer} and a member in ${member}`)
    const hasGone = rosters.some((roster) => isGone(roster, key))
    if (newcomer.length > 0 && newcomer[0]! + 1 < rosters.length && member.length === 0 && !hasGone)
      findings.push(`${name} was a newcomer in ${newcomer} and never became a member`)
    if (running?.status().shards.some(({ held }) => held)) nodesSettled++
  }
  return { nodesAdmitted, nodesSettled }
}

interface Join {
  /** The height of the roster that makes it. */
  height: number
  operatorKey: Uint8Array
  signers: readonly Uint8Array[]
}

/** The change that made the node with this key join. */
function joinIn(rosters: readonly Roster[], key: Uint8Array): Join | undefined {
  for (const { height, changes } of rosters) {
    for (const { change, signatures } of changes.map(decodeChange)) {
      if (change.kind !== 'join' || !equalBytes(change.key, key)) continue
      return { height, operatorKey: change.operatorKey, signers: signatures.map((signature) => signature.key) }
    }
  }
  return undefined
}

function hasSponsors({ operatorKey, signers }: Join, before: Roster | undefined): boolean {
  if (before === undefined) return false
  const voices = before.operators.filter((operator) => signers.some((signer) => equalBytes(signer, operator.key)))
  const isKnown = before.operators.some((operator) => equalBytes(operator.key, operatorKey))
  return isKnown || 3 * voices.length > before.operators.length
}

/** An operator gets one rank, the hash of its key and the nonces that the roster opens, and keeps it. */
function judgeRanks(certified: readonly CertifiedRoster[], findings: string[]): void {
  for (const [height, { roster }] of certified.entries()) {
    for (const { name, key, rank } of roster.operators) {
      const before = certified[height - 1]?.roster.operators.find((operator) => operator.name === name)
      if (rank === null || before === undefined) continue
      const hash = createHash('sha256').update('geotrace/rank').update(before.key)
      for (const nonce of roster.reveals) if (nonce !== null) hash.update(nonce)
      const drawn = new Uint8Array(hash.digest())
      if (!equalBytes(rank, before.rank ?? drawn))
        findings.push(
          `${name} (${bytesToHex(key).slice(0, 8)}) has another rank in roster ${height} than its nonces make`,
        )
    }
  }
}

const JUDGE_ADDRESS = '/ip4/198.51.100.1/tcp/1'
const ANSWER_MS = 30_000

async function judgePlain(
  federation: SimulatedFederation,
  certified: readonly CertifiedRoster[],
  begins: FirstEpochs,
  salts: SecretsSeen,
  findings: string[],
): Promise<ToSecret> {
  const toSalt = judgeSalts(federation, begins, salts, findings)
  await judgeAnswers(federation, certified, toSalt, findings)
  return toSalt
}

/** Each node that holds a shard answers a request of the judge with the salt that follows from the shard's seed. */
async function judgeAnswers(
  { scheduler, saltNodes, network }: SimulatedFederation,
  certified: readonly CertifiedRoster[],
  toSalt: ToSecret,
  findings: string[],
): Promise<void> {
  const life = createMachine(scheduler, 'judge').boot()
  const { request } = await network.dialer(life, JUDGE_ADDRESS).open()
  const epoch = timeToEpoch(scheduler.nowMs)
  const inForce = rosterInForce(certified, epoch)
  if (inForce === undefined) {
    findings.push('no roster is in force at the end')
    return
  }
  const roster = hashToRosterName(inForce.hash)
  // The block of the whole epoch: its size is 80 minutes, and its number is the number of the epoch.
  const block = { size: 80, n: epoch }
  const ask = async (name: string, key: Uint8Array, shard: number): Promise<void> => {
    const frame = encodeSaltRequest({ roster, shard, blocks: [block] })
    const [salt] = answerToSalts(
      await request({ key, addresses: [] }, SALT_PROTOCOL, frame),
      inForce,
      shard,
      [block],
      key,
    ).salts
    const expected = toSalt(shard, block.size, block.n, 0n)
    if (expected !== undefined && bytesToHex(salt!) !== expected) findings.push(`${name} gives another salt`)
  }
  const asking = saltNodes.flatMap(({ name, key, running }) =>
    (running?.status().shards ?? [])
      .filter(({ firstEpoch, held }) => held && firstEpoch === inForce.roster.firstEpoch)
      .map(({ shard }) =>
        ask(name, key, shard).catch((error: unknown) => {
          findings.push(`${name} gives no salt of shard ${shard}: ${error}`)
        }),
      ),
  )
  await scheduler.run(scheduler.nowMs + ANSWER_MS)
  await Promise.all(asking)
}

/**
 * Every peer knows the pins that the central peer made, and no other. Each epoch with rows has one. A device lost no row to
 * a roster: what it had hashed under another roster than the pinned one it hashed again.
 */
async function judgePins(
  { saltNodes, deposits, lied }: SimulatedFederation,
  newest: Roster | undefined,
  devices: readonly SimulatedDevice[],
  findings: string[],
): Promise<void> {
  for (const { epoch, roster } of deposits.pins.values()) {
    for (const { name, key, running } of saltNodes) {
      // A node that is proven to lie, or that is no member, gets no pins.
      if (lied.has(name) || (newest !== undefined && isOutOf(newest, key))) continue
      const pinned = running?.membership()?.pool.pinned(epoch) ?? []
      if (pinned.length !== 1 || !equalBytes(pinned[0]!, roster))
        findings.push(`${name} knows ${pinned.length} pins of epoch ${epoch}, or not that of the central peer`)
    }
  }
  for (const epoch of deposits.rows.keys())
    if (!deposits.pins.has(epoch)) findings.push(`epoch ${epoch} has rows and no pin`)
  for (const { name, storage, outcomes } of devices) {
    const toRoster = outcomes.reduce((sum, { result }) => sum + (result?.rowsLostToRoster ?? 0), 0)
    const { rowsLost } = await readTotals(storage)
    if (toRoster + rowsLost > 0) findings.push(`${name} lost ${rowsLost} rows, ${toRoster} of them to a roster`)
  }
}

function countOvertaken({ deposits }: SimulatedFederation, certified: readonly CertifiedRoster[]): number {
  const isOvertaken = ({ epoch, roster }: { epoch: number; roster: Uint8Array }): boolean => {
    const inForce = rosterInForce(certified, epoch)
    return inForce !== undefined && !equalBytes(inForce.hash, roster)
  }
  return [...deposits.pins.values()].filter(isOvertaken).length
}

/**
 * Every salt that a device used follows from a seed that a node drew, one seed for each shard and roster. Devices may use
 * salts of two rosters for a block until they know the pin of its epoch. The result gives the salts of the pinned roster.
 */
function judgeSalts(
  { drawn }: SimulatedFederation,
  begins: FirstEpochs,
  salts: SecretsSeen,
  findings: string[],
): ToSecret {
  /** By shard and first epoch. */
  const seeds = new Map<string, Uint8Array>()
  const known = new Map<string, string>()
  const toSalt: ToSecret = (shard, size, n) => {
    const firstEpoch = begins.toCounted(Math.floor((n * size) / 80))
    const name = `${shard}/${size}/${n}`
    const seed = seeds.get(`${shard} ${firstEpoch}`)
    const salt = known.get(name) ?? (seed && seedToSalt(seed, firstEpoch, size, n))
    if (salt !== undefined) known.set(name, salt)
    return salt
  }
  for (const [name, values] of salts) {
    const [shard, size, n] = name.split('/').map(Number) as [number, number, number]
    const rosters = begins.all.filter((first) => first <= Math.floor((n * size) / 80))
    for (const [salt, who] of values) {
      const isOf = (seed: Uint8Array | undefined, first: number): boolean =>
        seed !== undefined && seedToSalt(seed, first, size, n) === salt
      if (rosters.some((first) => isOf(seeds.get(`${shard} ${first}`), first))) continue
      const source = rosters
        .map((first) => ({ first, seed: drawn.find((seed) => isOf(seed, first)) }))
        .find(({ seed }) => seed !== undefined)
      if (source === undefined) findings.push(`salt ${name} follows from no seed that a node drew`)
      else if (seeds.has(`${shard} ${source.first}`))
        findings.push(`salt ${name} differs: ${salt.slice(0, 8)} by ${who.join(', ')} is of a second seed`)
      else seeds.set(`${shard} ${source.first}`, source.seed!)
    }
  }
  return toSalt
}

function isOutOf(roster: Roster, key: Uint8Array): boolean {
  const isListed = roster.members.some((member) => Buffer.compare(member.key, key) === 0)
  return isGone(roster, key) || !isListed
}

/** The central peer holds exactly the rows of each device's fixes. Each fix is hashed, waiting, or counted as lost. */
async function judgeRows(
  { core, manifest, deposits, scheduler, lostShards }: SimulatedFederation,
  devices: readonly SimulatedDevice[],
  toSecret: ToSecret,
  findings: string[],
): Promise<Map<number, Map<string, ModelRow>>> {
  const all = new Map<number, Map<string, ModelRow>>()
  const { shards } = manifest.parameters
  for (const device of devices) {
    const { name, storage, taken } = device
    const hashed = await readNumbers(device, FIX_FAMILIES.hashes)
    const waiting = new Set((await readWaiting(storage)).map((fix) => timeToFixBlock(fix.at)))
    const fixes = new Map<number, { lat: number; lng: number; at: number }>()
    for await (const fix of device.running!.diary()) fixes.set(Math.floor(fix.at / (5 * MINUTE_MS)), fix)
    const { fixesLost, fixesAhead, rowsLost } = await readTotals(storage)
    // A fix with the time of a clock that is ahead by minutes is dropped, and counted.
    const absent = [...taken].filter(([block, fix]) => fixes.get(block)?.at !== fix.at)
    if (absent.length > fixesAhead) {
      const blocks = absent.map(([block]) => block).join(', ')
      findings.push(`${name} lost fixes that it had taken, ${fixesAhead} of them counted: blocks ${blocks}`)
    }
    const gone = [...fixes.keys()].filter((block) => !hashed.has(block) && !waiting.has(block))
    if (gone.length !== fixesLost) findings.push(`${name} counts ${fixesLost} lost fixes, not ${gone.length}`)
    const isLost = (block: number): boolean =>
      fixToShards(core, fixes.get(block)!, shards).some((s) => lostShards.has(s))
    const isClosed = (block: number): boolean => (block + 1) * 5 * MINUTE_MS < scheduler.nowMs - 5 * MINUTE_MS
    const stuck = [...waiting].filter((block) => isClosed(block) && !isLost(block))
    if (stuck.length > 0) findings.push(`${name} still has waiting fixes of ${stuck.length} blocks`)
    if ((await readHashed(storage)).length > 0) findings.push(`${name} still has pending hashes`)
    if ((await storage.get(KEYS.frozen)) !== undefined) findings.push(`${name} still has a batch on its way`)

    const rows = [...hashed].flatMap((block) => {
      const made = fixToRows(core, fixes.get(block)!, shards, toSecret)
      if (made === undefined) findings.push(`${name} hashed block ${block} with a secret of no known seed`)
      return made ?? []
    })
    const want = addRows(rows)
    const secret = await storage.get(KEYS.userSecret)
    const user = deposits.users.get(createHash('sha256').update(secret!).digest('hex'))
    const have = user === undefined ? new Map<string, ModelRow>() : readRows(deposits, user)
    if (user !== undefined) all.set(user, have)
    for (const id of device.erased) {
      if (id !== createHash('sha256').update(secret!).digest('hex') && deposits.users.has(id))
        findings.push(`${name} erased itself, and the central peer has a user of its old secret`)
    }
    let missing = 0
    for (const [key, { lags }] of want) if (have.get(key)?.lags !== lags) missing++
    if (missing > rowsLost)
      findings.push(`${name} misses ${missing} rows at the central peer and counts ${rowsLost} lost`)
    for (const [key, { lags }] of have) {
      if (((want.get(key)?.lags ?? 0) & lags) !== lags)
        findings.push(`${name} has a row at the central peer that no fix made`)
    }
  }
  return all
}

function readRows({ rows }: SimulatedFederation['deposits'], user: number): Map<string, ModelRow> {
  const found: ModelRow[] = []
  for (const [epoch, users] of rows) {
    for (const list of users.get(user)?.values() ?? []) {
      for (let at = 0; at < list.length; at += ROW_BYTES) {
        const hash = list.subarray(at, at + RISK_HASH_BYTES)
        const { size, lags } = metaToRow(hash, list[at + RISK_HASH_BYTES]!)!
        found.push({ epoch, hash: bytesToHex(hash), size, lags })
      }
    }
  }
  return addRows(found)
}

/** Every device has exactly the marks that the rule gives for all reports. Marks of a reporter are not checked. */
async function judgeMarks(
  { deposits, scheduler }: SimulatedFederation,
  devices: readonly SimulatedDevice[],
  rows: ReadonlyMap<number, ReadonlyMap<string, ModelRow>>,
  findings: string[],
): Promise<number> {
  const reports = [...deposits.reports.values()]
  const want = new Map<string, ModelMark>()
  for (const report of reports) {
    for (const [key, mark] of reportToMarks(rows, report)) {
      const known = want.get(key)
      if (known === undefined || isGraver(mark, known)) want.set(key, mark)
    }
  }
  const reporters = new Set(reports.map(({ user }) => user))
  if (reporters.size !== reports.length) findings.push('one code made two reports')
  let count = 0
  for (const { name, running, storage } of devices) {
    const user = deposits.users.get(
      createHash('sha256')
        .update((await storage.get(KEYS.userSecret))!)
        .digest('hex'),
    )
    const known = new Map(
      (await running!.marks()).map((mark) => [`${user}/${mark.epoch}/${bytesToHex(mark.hash)}`, mark]),
    )
    count += known.size
    const own = reporters.has(user ?? -1) ? [] : [...want].filter(([key]) => key.startsWith(`${user}/`))
    for (const [key, mark] of own) {
      const got = known.get(key)
      if (got === undefined) findings.push(`${name} lacks a mark of degree ${mark.degree}`)
      else if (got.degree !== mark.degree || got.weight !== mark.weight || got.lag !== mark.lag) {
        findings.push(
          `${name} has a mark ${got.degree}/${got.weight}/${got.lag}, not ${mark.degree}/${mark.weight}/${mark.lag}`,
        )
      }
    }
    if (known.size > own.length && !reporters.has(user ?? -1)) {
      findings.push(`${name} has ${known.size - own.length} marks too many at ${timeToEpoch(scheduler.nowMs)}`)
    }
  }
  return count
}

async function readNumbers({ storage }: SimulatedDevice, family: string): Promise<Set<number>> {
  const numbers = new Set<number>()
  for await (const [key] of storage.range(family)) numbers.add(keyToNumber(key))
  return numbers
}
