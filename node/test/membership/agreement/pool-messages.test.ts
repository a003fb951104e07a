import { decodeGossip, encodeGossip, type GossipMessage, signPresence } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { poolMessages, toSheetMessages } from '../../../src/membership/agreement/pool-messages.ts'
import { systemRandom } from '../../../src/platform/random.ts'
import { FOUNDED, peerSigner } from '../chain.ts'

const presence = (name: string): GossipMessage =>
  signPresence(peerSigner(name), {
    time: FOUNDED,
    height: 0,
    roster: systemRandom(8),
    release: new Uint8Array(8),
    addresses: [],
  })
const evidence: GossipMessage = { kind: 'evidence', evidence: systemRandom(40) }
const [ash, birch] = [presence('ash'), presence('birch')]
const held: Partial<Record<string, GossipMessage[]>> = { presence: [ash], evidence: [evidence] }

describe('the messages of a pool', () => {
  it('evidence comes first and presences come last', () => {
    const { all } = poolMessages((kind) => held[kind] ?? [])
    expect(all().map((bytes) => decodeGossip(bytes).kind)).toEqual(['evidence', 'presence'])
  })

  it('a message is encoded once, and one that came keeps a copy of its bytes', () => {
    const { all, came } = poolMessages((kind) => held[kind] ?? [])
    expect(all()[0]).toBe(all()[0])
    const bytes = encodeGossip(ash)
    came(ash, bytes)
    expect(all()[1]).toEqual(bytes)
    bytes.fill(0)
    expect(all()[1]).toEqual(encodeGossip(ash))
  })

  it('only messages that the pool lacks are missing', () => {
    const { missing } = poolMessages((kind) => held[kind] ?? [])
    const [known, unknown] = [encodeGossip(ash), encodeGossip(birch)]
    expect(missing([known, unknown])).toEqual([unknown])
  })

  it('601 sheets go out in three messages that together hold them all', () => {
    const sheets = Array.from({ length: 601 }, (_, shard) => {
      return { shard, root: systemRandom(32), signature: systemRandom(64) }
    })
    const whole = { kind: 'sheets' as const, key: systemRandom(32), previous: systemRandom(32), firstEpoch: 1, sheets }
    const parts = toSheetMessages(whole)
    expect(parts.map((part) => part.sheets.length)).toEqual([300, 300, 1])
    expect(parts.flatMap((part) => part.sheets)).toEqual(sheets)
  })
})
