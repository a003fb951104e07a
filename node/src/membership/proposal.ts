/**
 * From the sheets that members signed to the sheets of a roster. PROTOCOL.md §4.7. Pure.
 */
import {
  bytesToHex,
  equalBytes,
  type GossipSheets,
  type Roster,
  type SheetSignatures,
  shardToReplicas,
  sheetQuorum,
} from '@geotrace/core-wasm/wire'

export interface SignedRoots {
  /** One root a shard. */
  sheets: Uint8Array[]
  sheetSignatures: SheetSignatures[]
}

/** The root of each shard that a majority of its replicas signed; undefined while one is missing. */
export function sheetsToRoots(roster: Roster, told: readonly GossipSheets[]): SignedRoots | undefined {
  const indices = new Map(roster.members.map(({ key }, i) => [bytesToHex(key), i]))
  const byName = new Map(told.map((item) => [bytesToHex(item.key), item.sheets]))
  const sheets: Uint8Array[] = []
  const sheetSignatures: SheetSignatures[] = []
  for (let shard = 0; shard < roster.shards; shard++) {
    const replicas = shardToReplicas(roster, shard)
    const signed = replicas.flatMap(({ key }) => {
      const name = bytesToHex(key)
      const sheet = byName.get(name)?.find((item) => item.shard === shard)
      return sheet === undefined ? [] : [{ ...sheet, member: indices.get(name)! }]
    })
    const root = signed.find((one) => {
      const same = signed.filter((other) => equalBytes(other.root, one.root))
      return same.length >= sheetQuorum(replicas.length)
    })?.root
    if (root === undefined) return undefined
    sheets.push(root)
    sheetSignatures.push(
      signed
        .filter((item) => equalBytes(item.root, root))
        .map(({ member, signature }): [number, Uint8Array] => [member, signature])
        .sort(([a], [b]) => a - b),
    )
  }
  return { sheets, sheetSignatures }
}
