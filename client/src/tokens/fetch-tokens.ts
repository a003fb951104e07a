/**
 * Fetches tokens from the issuer, in sealed frames through a relay. PROTOCOL.md §5.12, §7.8. The session carries nothing else, so
 * no relay and no central peer can join it with a sync. A cut is no loss: what was asked for is asked for again, with the same
 * bytes. Throws CODE_UNKNOWN, CODE_SPENT, CODE_EXPIRED, TOKEN_REFUSED, CLOCK_SKEWED, and what a relay throws.
 */

import { FederationError, isFederationError, type Random } from '@geotrace/core-wasm'
import {
  blindToken,
  kindToKey,
  modulusToKeyId,
  TOKEN_KINDS,
  type TokenKind,
  toTokenChallenge,
} from '@geotrace/core-wasm/tokens'
import {
  bytesToHex,
  byteWriter,
  concatBytes,
  DAY_MS,
  decodeIssuanceReply,
  type EnrolmentOutcome,
  encodeIssuanceRequest,
  HOUR_MS,
  hexToBytes,
  type IssuanceReply,
  isGone,
  manifestToId,
  RELAY_TOKENS_PER_DAY,
  type TokenParameters,
  tokensPerFrame,
} from '@geotrace/core-wasm/wire'
import { sha256 } from '@noble/hashes/sha2.js'
import { toProvedMinute } from '../clock/clock-readings.ts'
import { askMinute, type CentralRoute, sendThroughRelays } from '../deposit/send.ts'
import type { Device } from '../device/device.ts'
import { shuffle } from '../salts/shuffle.ts'
import { putEnrolment } from './enrolment.ts'
import { type PendingTokens, toUtcDay, type Wallet } from './wallet.ts'

const SEED_BYTES = 32
/** The last hours of a day stay free, so that a late fetch is still one of its day. */
const FETCH_SPAN_MS = 20 * HOUR_MS

export interface Fetching {
  readonly device: Pick<Device, 'storage' | 'random' | 'clock' | 'lock'>
  readonly route: CentralRoute
  readonly wallet: Wallet
  readonly enrolment: Uint8Array
  readonly parameters: TokenParameters
}

/** Presents the code of an enrolment. */
export async function enrolWith(fetching: Fetching, code: Uint8Array): Promise<void> {
  await exchange(fetching, code, [], fetching.parameters.key)
}

/** Fetches the tokens of a UTC day: of evaluations for the members that this device asks most, and of relays. */
export async function fetchTokens(fetching: Fetching, day: number): Promise<void> {
  const { device, wallet } = fetching
  const { clock, random } = device
  const today = toUtcDay(clock.now())
  // A fetch that was cut goes on where it was.
  const from = wallet.pending?.asked === today ? TOKEN_KINDS.indexOf(wallet.pending.kind) : 0
  for (const kind of TOKEN_KINDS.slice(from)) if (!(await fetchKind(fetching, kind, day, today))) return
  wallet.close(today, (today + 1) * DAY_MS + Math.floor(toFraction(random) * FETCH_SPAN_MS))
  await store(fetching)
}

/** False while this device has asked no member. */
async function fetchKind(fetching: Fetching, kind: TokenKind, day: number, today: number): Promise<boolean> {
  const { wallet } = fetching
  const pending = toPending(fetching, kind, day, today)
  if (pending === undefined) return false
  wallet.pending = pending
  await store(fetching)
  try {
    await fetchAll(fetching, pending)
  } catch (error) {
    if (isFederationError(error, 'TOKEN_REFUSED')) {
      // The issuer has another key since.
      wallet.pending = undefined
      await store(fetching)
    }
    if (!isFederationError(error, 'QUOTA_SPENT')) throw error
  }
  return true
}

async function fetchAll(fetching: Fetching, pending: PendingTokens): Promise<void> {
  const { route, wallet } = fetching
  const { syncRequestBytes, syncReplyBytes } = route.manifest.parameters
  const size = tokensPerFrame(syncRequestBytes, syncReplyBytes)
  for (let from = pending.done; from < pending.nodes.length; from += size) {
    const blinded = pending.nodes.slice(from, from + size).map((node, i) => blindNext(route, pending, node, from + i))
    const messages = blinded.map(({ message }) => message)
    const { signatures } = await exchange(fetching, undefined, messages, pending.key)
    const tokens = blinded.map(({ finish }, i) => signatures[i] && finish(signatures[i]))
    if (tokens.includes(undefined))
      throw new FederationError('TOKEN_REFUSED', 'the issuer sent a false signature: try again later')
    for (const [i, token] of tokens.entries()) wallet.add(pending.kind, pending.day, pending.nodes[from + i]!, token!)
    wallet.pending = { ...pending, done: from + messages.length }
    await store(fetching)
  }
}

/** The request that was cut, or a new one; undefined while this device has asked no member. */
function toPending(
  { device, wallet, parameters, route }: Fetching,
  kind: TokenKind,
  day: number,
  asked: number,
): PendingTokens | undefined {
  const [known, key] = [wallet.pending, kindToKey(parameters, kind)]
  const isSame = known?.kind === kind && known.asked === asked && known.day >= asked && known.key === key
  if (isSame) return known
  const roster = route.rosters.newest?.roster
  const members = roster?.members
    .filter((member) => !isGone(roster, member.key))
    .map((member) => bytesToHex(member.key))
  const favourites = wallet.favourites(Number.POSITIVE_INFINITY).filter((node) => members?.includes(node))
  if (members === undefined || favourites.length === 0) return undefined
  const asks = favourites.slice(0, parameters.perDay)
  const nodes = kind === 'evaluation' ? asks : toRelays(members, asks, device.random)
  return { kind, seed: bytesToHex(device.random(SEED_BYTES)), asked, day, key, nodes, done: 0 }
}

/** Random members; first those that this device does not ask for evaluations. */
function toRelays(members: readonly string[], asks: readonly string[], random: Random): string[] {
  const drawn = shuffle(members, random)
  const [apart, asked] = [drawn.filter((node) => !asks.includes(node)), drawn.filter((node) => asks.includes(node))]
  return [...apart, ...asked].slice(0, RELAY_TOKENS_PER_DAY)
}

function blindNext({ manifest }: CentralRoute, { kind, seed, key, day }: PendingTokens, node: string, index: number) {
  const challenge = toTokenChallenge(kind, manifestToId(manifest), hexToBytes(node), day)
  return blindToken(hexToBytes(key), challenge, seedToRandom(hexToBytes(seed), index))
}

/** Bytes that follow from a seed: SHA-256 in counter mode. */
function seedToRandom(seed: Uint8Array, index: number): Random {
  let counter = 0
  return (length) => {
    const blocks = Array.from({ length: Math.ceil(length / 32) }, () =>
      sha256(concatBytes(seed, byteWriter(8).u32(index).u32(counter++).finish())),
    )
    return concatBytes(...blocks).slice(0, length)
  }
}

async function exchange(
  { device, route, enrolment, parameters, wallet }: Fetching,
  code: Uint8Array | undefined,
  messages: Uint8Array[],
  key: string,
): Promise<IssuanceReply> {
  // A member that takes the tokens of this device is no relay for them, where there is another.
  route.relays.noteReplicas(
    wallet.favourites(parameters.perDay).map((key) => ({ key: hexToBytes(key), addresses: [] })),
  )
  const minute = toProvedMinute(route.clock) || (await askMinute(route))
  const keyId = modulusToKeyId(hexToBytes(key))
  const request = { minute, enrolment, code, keyId, messages }
  const { syncRequestBytes } = route.manifest.parameters
  const reply = decodeIssuanceReply(await sendThroughRelays(route, encodeIssuanceRequest(request, syncRequestBytes)))
  const error = outcomeToError(reply.outcome)
  if (error === undefined) return reply
  // The authority withdrew this device: the user learns of it, and no more is asked for.
  if (reply.outcome === 'not-enrolled') {
    const gone = putEnrolment({ secret: bytesToHex(enrolment), isEnrolled: false })
    await device.lock(() => device.storage.batch([gone]))
  }
  throw error
}

function outcomeToError(outcome: EnrolmentOutcome): FederationError | undefined {
  switch (outcome) {
    case 'enrolled':
      return undefined
    case 'not-enrolled':
      return new FederationError('TOKEN_REFUSED', 'this device is not enrolled any more: ask for a new enrolment code')
    case 'code-unknown':
      return new FederationError('CODE_UNKNOWN', 'the authority does not know this enrolment code')
    case 'code-spent':
      return new FederationError('CODE_SPENT', 'this enrolment code was used by another device')
    case 'code-expired':
      return new FederationError('CODE_EXPIRED', 'this enrolment code is too old')
  }
}

async function store({ device: { storage, clock, lock }, wallet }: Fetching): Promise<void> {
  await lock(() => storage.batch(wallet.changes(clock.now())))
}

/** Uniform in [0, 1). */
function toFraction(random: Random): number {
  return new DataView(random(4).slice().buffer).getUint32(0) / 2 ** 32
}
