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
  const sheets: Uint8Array[] = []
  const sheetSignatures: SheetSignatures[] = []
  for (let shard = 0; shard < roster.shards; shard++) {
    const replicas = shardToReplicas(roster, shard).map(({ key }) => bytesToHex(key))
    const signed = told.flatMap(({ key, sheets: own }) => {
      const sheet = replicas.includes(bytesToHex(key)) ? own.find((item) => item.shard === shard) : undefined
      return sheet === undefined ? [] : [{ ...sheet, member: indices.get(bytesToHex(key))! }]
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
