/**
 * From the sheets that members signed to a roster that can be voted on. PROTOCOL.md §4.7. Pure.
 * The body follows from the manifest and the roots alone, so proposers who saw different replicas propose one roster.
 */
import {
  assertProposal,
  bodyToCertified,
  type CertifiedRoster,
  encodeRoster,
  equalBytes,
  isValidSignature,
  type Manifest,
  manifestToRoster,
  type Roster,
  type SheetSignatures,
  type SignedSheet,
  shardToReplicas,
  sheetContent,
  sheetEpochs,
  sheetQuorum,
} from '@geotrace/core-wasm/wire'

export interface SheetPile {
  /** Puts down what a member signed; sheets of shards it does not hold and bad signatures are left out. */
  add(member: number, sheets: readonly SignedSheet[]): void
  /** The roster, once every shard has a majority for one root. */
  proposal(): CertifiedRoster | undefined
}

export function sheetPile(manifest: Manifest): SheetPile {
  const roster = manifestToRoster(manifest)
  const replicas = Array.from({ length: roster.shards }, (_, shard) =>
    shardToReplicas(roster, shard).map(({ key }) => roster.members.findIndex((item) => equalBytes(item.key, key))),
  )
  /** For each shard, what each of its replicas signed first. */
  const signed = replicas.map(() => new Map<number, SignedSheet>())
  let found: CertifiedRoster | undefined

  return {
    add(member, sheets) {
      for (const sheet of sheets) {
        const isReplica = replicas[sheet.shard]?.includes(member) ?? false
        if (!isReplica || signed[sheet.shard]!.has(member)) continue
        if (isSignedBy(roster, member, sheet)) signed[sheet.shard]!.set(member, sheet)
      }
    },
    proposal() {
      if (found !== undefined) return found
      const chosen = signed.map((sheets, shard) => majority(sheets, sheetQuorum(replicas[shard]!.length)))
      if (chosen.some((item) => item === undefined)) return undefined
      const sheets = chosen.map((item) => item!.root)
      const signatures = chosen.map((item) => item!.signatures)
      const proposal = bodyToCertified(encodeRoster({ ...roster, sheets }), signatures, [])
      assertProposal(manifest, proposal)
      found = proposal
      return found
    },
  }
}

function isSignedBy(roster: Roster, member: number, { shard, root, signature }: SignedSheet): boolean {
  const { federation, firstEpoch } = roster
  const content = sheetContent({ federation, shard, firstEpoch, epochs: sheetEpochs(roster), root })
  return isValidSignature(roster.members[member]!.key, 'geotrace/sheet', content, signature)
}

/** The root that at least `need` replicas signed. There is at most one, since `need` is more than half. */
function majority(
  sheets: ReadonlyMap<number, SignedSheet>,
  need: number,
): { root: Uint8Array; signatures: SheetSignatures } | undefined {
  for (const { root } of sheets.values()) {
    const same = [...sheets].filter(([, item]) => equalBytes(item.root, root)).sort(([a], [b]) => a - b)
    if (same.length >= need) return { root, signatures: same.map(([member, { signature }]) => [member, signature]) }
  }
  return undefined
}
