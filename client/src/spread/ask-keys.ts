/**
 * Asks for the keys of the spread, with every new roster, whether the device reports or not: so asking tells nothing. PROTOCOL.md
 * §9.10. Two members of two operators answer, and neither operator has a role. A key that one
 * device alone gets would betray that device. So two keys are evidence, and the device then sends bucket 0. Throws ABORTED, STORAGE_CORRUPT.
 */
import { isFederationError } from '@geotrace/core-wasm'
import {
  byteReader,
  bytesToHex,
  byteWriter,
  type CertifiedRoster,
  decodeSpreadKeysReply,
  type Evidence,
  encodeRosterRequest,
  equalBytes,
  hexToBytes,
  isValidSpreadKey,
  manifestToId,
  ROSTER_PROTOCOL,
  type RosterChain,
  type RosterPeer,
  readSpreadKey,
  SPREAD_KEY_BYTES,
  type SpreadKey,
  writeSpreadKey,
} from '@geotrace/core-wasm/wire'
import type { Device } from '../device/device.ts'
import type { Session } from '../dialers/dialer.ts'
import { tellEvidence } from '../salts/evidence.ts'
import { shuffle } from '../salts/shuffle.ts'
import { type DrawnPeriod, openPeriods } from './periods.ts'
import { type KeptKeys, putAskedKeys, readAskedKeys } from './spread-records.ts'

/** Members of distinct operators that must answer. */
const WITNESSES = 2
/** Members tried for that, because the sync waits meanwhile. */
const TRIED_MAX = 4

/** Valid keys of the drawn members of a period. */
type Pair = Readonly<Record<'mixer' | 'teller', SpreadKey | undefined>>
interface Witness {
  readonly member: RosterPeer
  readonly pairs: readonly Pair[]
}

export async function askSpreadKeys(device: Device, session: Session, rosters: RosterChain): Promise<void> {
  const { storage, clock, lock } = device
  const { newest } = rosters
  if (newest === undefined) return
  const known = await readAskedKeys(storage)
  const open = openPeriods(rosters, clock.now())
  const isKept = (item: DrawnPeriod): boolean => known.periods.some(({ period }) => period === item.period)
  if (open.length === 0 || (open.every(isKept) && known.height >= newest.roster.height)) return
  const witnesses = await askWitnesses(device, session, newest, open)
  if (witnesses.length < WITNESSES) return
  const periods: KeptKeys[] = []
  const proofs: Evidence[] = []
  for (const [i, drawn] of open.entries()) {
    const before = known.periods.find(({ period }) => period === drawn.period)
    const shown = [...(before ? [toPair(before)] : []), ...witnesses.map(({ pairs }) => pairs[i]!)]
    const found = contradictions(manifestToId(device.manifest), shown)
    proofs.push(...found)
    const kept = toKept(drawn.period, shown, found.length > 0 || before?.isContradicted === true)
    if (kept !== undefined) periods.push(kept)
  }
  await lock(() => storage.batch([putAskedKeys({ height: newest.roster.height, periods })]))
  const told = witnesses.map(({ member }) => member)
  for (const proof of proofs) await tellEvidence({ ...device, session }, told, proof)
}

/** Members of operators without a role, each of another operator, that answered for all periods. */
async function askWitnesses(
  { manifest, random, liars }: Device,
  session: Session,
  { roster }: CertifiedRoster,
  open: readonly DrawnPeriod[],
): Promise<Witness[]> {
  const federation = manifestToId(manifest)
  const operatorOf = (peer: RosterPeer, of = roster): string => bytesToHex(of.operators[peer.operator]!.key)
  const drawn = open.flatMap(({ certified, mixer, teller }) =>
    [mixer, teller].map((role) => operatorOf(role, certified.roster)),
  )
  const taken = new Set(drawn)
  const candidates = shuffle(roster.members, random).filter((member) => {
    const operator = operatorOf(member)
    if (taken.has(operator) || liars.has(bytesToHex(member.key))) return false
    taken.add(operator)
    return true
  })
  const witnesses: Witness[] = []
  for (const member of candidates.slice(0, TRIED_MAX)) {
    if (witnesses.length === WITNESSES) break
    try {
      const pairs: Pair[] = []
      for (const period of open) pairs.push(await ask(session, member, federation, period))
      witnesses.push({ member, pairs })
    } catch (error) {
      if (!isFederationError(error) || isFederationError(error, 'ABORTED')) throw error
    }
  }
  return witnesses
}

async function ask(
  session: Session,
  member: RosterPeer,
  federation: Uint8Array,
  { period, mixer, teller }: DrawnPeriod,
): Promise<Pair> {
  const request = encodeRosterRequest({ op: 'spread-keys', period })
  const keys = decodeSpreadKeysReply(await session.request(member, ROSTER_PROTOCOL, request))
  const valid = keys.filter((key) => key.period === period && isValidSpreadKey(key, federation))
  const of = ({ key }: RosterPeer): SpreadKey | undefined => valid.find((item) => equalBytes(item.key, key))
  return { mixer: of(mixer), teller: of(teller) }
}

/** Proofs that a role announced two keys. */
function contradictions(federation: Uint8Array, shown: readonly Pair[]): Evidence[] {
  const proofs: Evidence[] = []
  for (const role of ['mixer', 'teller'] as const) {
    const [first, ...others] = shown.flatMap((pair) => pair[role] ?? [])
    const second = others.find(({ slipKey }) => first !== undefined && !equalBytes(slipKey, first.slipKey))
    if (first === undefined || second === undefined) continue
    const { key, period } = first
    const [one, two] = [first, second].map(({ slipKey, signature }) => ({ slipKey, signature }))
    proofs.push({ kind: 'spread-keys', key, federation, period, first: one!, second: two! })
  }
  return proofs
}

/** The keys that all have shown; undefined while one is missing. After a contradiction any of them will do for bucket 0. */
function toKept(period: number, shown: readonly Pair[], isContradicted: boolean): KeptKeys | undefined {
  const [pair] = shown
  const isComplete = shown.every(({ mixer, teller }) => mixer !== undefined && teller !== undefined)
  if (!isComplete || pair?.mixer === undefined || pair.teller === undefined) return undefined
  return { period, mixer: toHex(pair.mixer), teller: toHex(pair.teller), isContradicted }
}

function toPair({ mixer, teller }: KeptKeys): Pair {
  const [first, second] = [mixer, teller].map((hex) => readSpreadKey(byteReader(hexToBytes(hex))))
  return { mixer: first!, teller: second! }
}

function toHex(key: SpreadKey): string {
  return bytesToHex(writeSpreadKey(byteWriter(SPREAD_KEY_BYTES), key).finish())
}
