/**
 * Composes an operator's proposal, and decides whether an operator votes for one. PROTOCOL.md §4.7. Pure.
 */
import {
  bytesToHex,
  type CertifiedRoster,
  type ChangeKind,
  decodeChange,
  encodeChange,
  equalBytes,
  evidenceToId,
  type GossipSheets,
  isFederationError,
  isGone,
  isVacant,
  newChange,
  quorum,
  type Roster,
  type SheetSignatures,
  shardToReplicas,
  sheetQuorum,
  succeed,
  VACANT_ROOT,
} from '@geotrace/core-wasm/wire'
import type { NonceTable } from './nonce-table.ts'
import type { Pool } from './pool.ts'

interface SignedRoots {
  /** One root a shard. */
  sheets: Uint8Array[]
  sheetSignatures: SheetSignatures[]
}

/**
 * The root of each shard that a majority of its replicas signed; undefined while a shard has none. With `makeDo` it is the
 * root with the most signatures, of equals the lowest. A shard with fewer signatures than the threshold stays vacant.
 */
export function sheetsToRoots(
  roster: Roster,
  messages: readonly GossipSheets[],
  { makeDo = false } = {},
): SignedRoots | undefined {
  const indices = new Map(roster.members.map(({ key }, i) => [bytesToHex(key), i]))
  const byKey = new Map(messages.map((item) => [bytesToHex(item.key), item.sheets]))
  const sheets: Uint8Array[] = []
  const sheetSignatures: SheetSignatures[] = []
  for (let shard = 0; shard < roster.shards; shard++) {
    const replicas = shardToReplicas(roster, shard)
    const byRoot = new Map<string, { root: Uint8Array; signatures: [number, Uint8Array][] }>()
    for (const { key } of replicas) {
      const member = bytesToHex(key)
      const sheet = byKey.get(member)?.find((item) => item.shard === shard)
      if (sheet === undefined) continue
      const name = bytesToHex(sheet.root)
      const same = byRoot.get(name) ?? { root: sheet.root, signatures: [] }
      byRoot.set(name, same)
      same.signatures.push([indices.get(member)!, sheet.signature])
    }
    const [best] = [...byRoot.values()].sort(
      (a, b) => b.signatures.length - a.signatures.length || compareBytes(a.root, b.root),
    )
    // Fewer replicas than the threshold cannot answer for their sheet.
    const chosen = best !== undefined && best.signatures.length >= roster.threshold ? best : undefined
    const signatures = chosen?.signatures ?? []
    if (!makeDo && signatures.length < sheetQuorum(replicas.length)) return undefined
    sheets.push(chosen?.root ?? VACANT_ROOT)
    // More signatures than a majority would prove nothing more.
    sheetSignatures.push(signatures.slice(0, sheetQuorum(replicas.length)).sort(([a], [b]) => a - b))
  }
  return { sheets, sheetSignatures }
}

/** The body with every change that can follow those before it, and with all nonces and commitments of at least a quorum. */
export function composeRoster(
  previous: CertifiedRoster,
  firstEpoch: number,
  sheets: Uint8Array[],
  pool: Pick<Pool, 'changes' | 'evidence'> & Pick<PoolView, 'nonces'>,
): Roster {
  const head = { firstEpoch, sheets, reveals: quorumOf(pool.nonces.reveals()) }
  let best = succeed(previous, { ...head, changes: [], commitments: [] })
  for (const change of candidateChanges(previous.roster, firstEpoch, pool)) {
    const changes = [...best.changes, change].sort(compareBytes)
    try {
      best = succeed(previous, { ...head, changes, commitments: [] })
    } catch (error) {
      if (!isFederationError(error)) throw error
    }
  }
  if (best.admitted.length === 0) return best
  return succeed(previous, { ...head, changes: best.changes, commitments: quorumOf(pool.nonces.commitments()) })
}

/** The list when a quorum gave something, otherwise an empty list. */
function quorumOf<T>(list: (T | null)[]): (T | null)[] {
  return countGiven(list) >= quorum(list.length) ? list : []
}

function countGiven(list: readonly unknown[]): number {
  return list.filter((item) => item !== null).length
}

/** The parts of the pool that a vote depends on. */
interface PoolView extends Pick<Pool, 'sheets' | 'evidence'> {
  nonces: Pick<NonceTable, 'commitments' | 'reveals'>
}

/** A vote depends on these too, beside the proposal and the pool. */
export interface Judging {
  /** Whether fewer signatures under a sheet than a majority are accepted. */
  makeDo: boolean
  /** A proposal must list the commitments and nonces that the voter held before this time, Unix ms. */
  heldBefore: number
  /** Indices of the proposer: among the operators that vote, and among the commitments of the roster before. */
  proposer: { voter: number; committed: number | undefined }
}

/** Whether an operator with this pool votes for a proposal that follows from the roster before. */
export function isAgreeable(proposal: CertifiedRoster, pool: PoolView, judging: Judging): boolean {
  return (
    proposal.roster.changes.every((encoded) => isChangeAgreeable(encoded, pool)) &&
    areNoncesAgreeable(proposal.roster, pool.nonces, judging) &&
    areSheetsAgreeable(proposal, pool.sheets(proposal.roster.firstEpoch), judging.makeDo)
  )
}

/**
 * A proposer that chose among the nonces would choose the ranks. So it must list every nonce that voters held before the
 * effort. It must list its own in any case, because it could publish that nonce at the very start of the effort. Some
 * voters would then demand the nonce and others not, and the votes would part.
 */
function areNoncesAgreeable(
  { admitted, commitments, reveals }: Roster,
  nonces: PoolView['nonces'],
  { heldBefore, proposer }: Judging,
): boolean {
  const isOwnHere = (list: readonly unknown[], own: number | undefined): boolean =>
    list.length === 0 || own === undefined || list[own] !== null
  return (
    isComplete(reveals, nonces.reveals(heldBefore)) &&
    isOwnHere(reveals, proposer.committed) &&
    (admitted.length === 0 || isComplete(commitments, nonces.commitments(heldBefore))) &&
    isOwnHere(commitments, proposer.voter)
  )
}

/** Whether a list has everything that is `held`. An empty list is right only while less than a quorum is held. */
function isComplete(list: readonly unknown[], held: readonly unknown[]): boolean {
  if (list.length === 0) return countGiven(held) < quorum(held.length)
  return held.every((item, i) => item === null || list[i] !== null)
}

/**
 * A `lied` change needs evidence in the voter's own pool. Any proof against that key will do: otherwise a liar could show
 * each voter a different proof and so split the votes.
 */
function isChangeAgreeable(encoded: Uint8Array, pool: PoolView): boolean {
  const { change } = decodeChange(encoded)
  return change.kind !== 'lied' || pool.evidence().some((proof) => equalBytes(proof.key, change.key))
}

/**
 * Fewer signatures than a majority are accepted only with `makeDo`, and only while no other root of the shard has one.
 * A vacant shard is accepted only while no sheet of the shard is known. Signatures that are known here count too, because
 * the peer that sent the body may have left some out.
 */
function areSheetsAgreeable(
  { roster, sheetSignatures }: CertifiedRoster,
  messages: GossipSheets[],
  makeDo: boolean,
): boolean {
  const known = sheetsToRoots(roster, messages, { makeDo: true })!
  return sheetSignatures.every((signatures, shard) => {
    const need = sheetQuorum(shardToReplicas(roster, shard).length)
    const best = known.sheetSignatures[shard]!.length
    const isSame = equalBytes(known.sheets[shard]!, roster.sheets[shard]!)
    if (Math.max(signatures.length, isSame ? best : 0) >= need) return true
    return makeDo && best < need && !(isVacant(roster, shard) && best > 0)
  })
}

function candidateChanges(
  { federation, ...roster }: Roster,
  firstEpoch: number,
  pool: Pick<Pool, 'changes' | 'evidence'>,
): Uint8Array[] {
  const lied = pool
    .evidence()
    .filter(({ key }) => !isGone(roster, key))
    .map((proof) =>
      newChange(federation, { kind: 'lied', until: firstEpoch, key: proof.key, evidence: evidenceToId(proof) }),
    )
  const byKind = (kind: ChangeKind): number => ORDER.indexOf(kind)
  return [...lied, ...pool.changes()].sort((a, b) => byKind(a.change.kind) - byKind(b.change.kind)).map(encodeChange)
}

/** Departures before arrivals, so that a full federation can admit a node in the same roster. */
const ORDER: readonly ChangeKind[] = ['lied', 'leave', 'expel', 'rotate', 'seal', 'move', 'amend', 'join']

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b)
}
