/**
 * What an operator proposes, and what it agrees to, from what it has heard. PROTOCOL.md §4.7. Pure.
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
import type { Pool } from './pool.ts'

export interface SignedRoots {
  /** One root a shard. */
  sheets: Uint8Array[]
  sheetSignatures: SheetSignatures[]
}

/**
 * The root of each shard that a majority of its replicas signed; undefined while one is missing. Who makes do takes the
 * root that most signed, of several the lowest, and leaves a shard vacant that nobody signed for.
 */
export function sheetsToRoots(
  roster: Roster,
  told: readonly GossipSheets[],
  { makeDo = false } = {},
): SignedRoots | undefined {
  const indices = new Map(roster.members.map(({ key }, i) => [bytesToHex(key), i]))
  const byKey = new Map(told.map((item) => [bytesToHex(item.key), item.sheets]))
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
    const signatures = best?.signatures ?? []
    if (!makeDo && signatures.length < sheetQuorum(replicas.length)) return undefined
    sheets.push(best?.root ?? VACANT_ROOT)
    // More than a majority proves nothing more.
    sheetSignatures.push(signatures.slice(0, sheetQuorum(replicas.length)).sort(([a], [b]) => a - b))
  }
  return { sheets, sheetSignatures }
}

/** The body with every change that can be made and the nonces that are open. */
export function composeRoster(previous: CertifiedRoster, firstEpoch: number, sheets: Uint8Array[], pool: Pool): Roster {
  const { height, operators } = previous.roster
  const reveals = pool
    .reveals(height)
    .map(({ operator, nonce, signature }) => ({ operator, nonce, signature }))
    .sort((a, b) => a.operator - b.operator)
  const isReady = reveals.length >= quorum(operators.length)
  let best = succeed(previous, { firstEpoch, changes: [], reveals: isReady ? reveals : [], sheets })
  for (const change of candidateChanges(previous.roster, firstEpoch, pool)) {
    const changes = [...best.changes, change].sort(compareBytes)
    try {
      best = succeed(previous, { firstEpoch, changes, reveals: best.reveals, sheets })
    } catch (error) {
      if (!isFederationError(error)) throw error
    }
  }
  return best
}

/** What a vote depends on, of all that was heard. */
type Heard = Pick<Pool, 'sheets' | 'evidence'>

/** Whether an operator that knows what is in the pool votes for a proposal that follows. */
export function isAgreeable(proposal: CertifiedRoster, pool: Heard, { makeDo }: { makeDo: boolean }): boolean {
  return (
    proposal.roster.changes.every((encoded) => isChangeAgreeable(encoded, pool)) &&
    areSheetsAgreeable(proposal, pool.sheets(proposal.roster.firstEpoch), makeDo)
  )
}

/**
 * What a roster says of liars, its voters have seen for themselves; any proof will do, or a liar that shows each voter
 * another one keeps them apart.
 */
function isChangeAgreeable(encoded: Uint8Array, pool: Heard): boolean {
  const { change } = decodeChange(encoded)
  return change.kind !== 'lied' || pool.evidence().some((proof) => equalBytes(proof.key, change.key))
}

/**
 * Fewer signatures than a majority only in the end, and not where another root has one; a vacant shard only where no
 * sheet is known. Whoever handed the body on may have left out signatures that are known here.
 */
function areSheetsAgreeable(
  { roster, sheetSignatures }: CertifiedRoster,
  told: GossipSheets[],
  makeDo: boolean,
): boolean {
  const known = sheetsToRoots(roster, told, { makeDo: true })!
  return sheetSignatures.every((signatures, shard) => {
    const need = sheetQuorum(shardToReplicas(roster, shard).length)
    const best = known.sheetSignatures[shard]!.length
    const isSame = equalBytes(known.sheets[shard]!, roster.sheets[shard]!)
    if (Math.max(signatures.length, isSame ? best : 0) >= need) return true
    return makeDo && best < need && !(isVacant(roster, shard) && best > 0)
  })
}

function candidateChanges({ federation, ...roster }: Roster, firstEpoch: number, pool: Pool): Uint8Array[] {
  const lied = pool
    .evidence()
    .filter(({ key }) => !isGone(roster, key))
    .map((proof) =>
      newChange(federation, { kind: 'lied', until: firstEpoch, key: proof.key, evidence: evidenceToId(proof) }),
    )
  const byKind = (kind: ChangeKind): number => ORDER.indexOf(kind)
  return [...lied, ...pool.changes()].sort((a, b) => byKind(a.change.kind) - byKind(b.change.kind)).map(encodeChange)
}

/** Departures before arrivals: a full federation can then take somebody in. */
const ORDER: readonly ChangeKind[] = ['lied', 'leave', 'expel', 'rotate', 'move', 'amend', 'join']

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b)
}
