import { simulatedClock } from '@geotrace/core-wasm'
import { testManifest } from '@geotrace/core-wasm/testing'
import {
  encodeRefusal,
  FederationError,
  peerIdToKey,
  SEALED_FRAME_BYTES,
  SEALED_PROTOCOL,
} from '@geotrace/core-wasm/wire'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Peer } from '../../src/membership/peers.ts'
import { addressToRequester } from '../../src/net/guard/requester.ts'
import type { Handler, Host, Requester } from '../../src/net/protocol.ts'
import { relayService } from '../../src/relay/relay-service.ts'

const manifest = testManifest({ devicesPerAddress: 2 })
const [SIZE] = manifest.parameters.syncRequestBytes
const central: Peer = { key: peerIdToKey(manifest.central.peerId), addresses: [], operator: 5, role: 'central' }
const from = (address: string): Requester => ({ key: undefined, ...addressToRequester(address) })
const DEVICE = from('/ip4/203.0.113.1/tcp/1')
const frameOf = (bytes: number) => Uint8Array.from({ length: bytes }, (_, i) => (i === 0 ? 1 : i))
const FRAME = frameOf(SIZE! + SEALED_FRAME_BYTES)
const code = (value: string) => expect.objectContaining({ code: value })

describe('a relay', () => {
  let asked: Parameters<Host['request']>[]
  let answer: () => Promise<Uint8Array>
  let here: Peer | undefined
  let relay: Handler
  beforeEach(() => {
    asked = []
    here = central
    answer = async () => Uint8Array.of(0, 7, 7)
    const host = {
      request: (...args: Parameters<Host['request']>) => {
        asked.push(args)
        return answer()
      },
    }
    const allows = (ip: Uint8Array) => ip[0] !== 198
    relay = relayService({ manifest, host, peers: { withKey: () => here }, clock: simulatedClock(0), allows })
  })

  it('a relay passes frame and reply on unchanged, to the central peer only', async () => {
    expect(await relay(FRAME, DEVICE)).toEqual(Uint8Array.of(0, 7, 7))
    expect(asked).toEqual([[central, SEALED_PROTOCOL, FRAME, { withinMs: expect.any(Number) }]])
  })

  it('a frame of no size class or of another version is refused before it costs anything', async () => {
    for (const bytes of [1, 49, FRAME.length - 1, FRAME.length + 1])
      await expect(relay(frameOf(bytes), DEVICE)).rejects.toThrow(code('MESSAGE_MALFORMED'))
    await expect(relay(new Uint8Array(0), DEVICE)).rejects.toThrow(code('MESSAGE_MALFORMED'))
    await expect(relay(Uint8Array.from([2, ...FRAME.slice(1)]), DEVICE)).rejects.toThrow(code('VERSION_UNKNOWN'))
    for (const bytes of manifest.parameters.syncRequestBytes) await relay(frameOf(bytes + SEALED_FRAME_BYTES), DEVICE)
    expect(asked).toHaveLength(manifest.parameters.syncRequestBytes.length)
  })

  it('an address beyond its frames of the hour, one that the operator does not allow, and a connection without one are refused', async () => {
    for (let i = 0; i < 8; i++) await relay(FRAME, DEVICE)
    await expect(relay(FRAME, DEVICE)).rejects.toThrow(code('QUOTA_SPENT'))
    await relay(FRAME, from('/ip4/203.0.113.2/tcp/1'))
    await expect(relay(FRAME, from('/ip4/198.51.100.1/tcp/1'))).rejects.toThrow(code('NOT_ALLOWED'))
    await expect(relay(FRAME, from('/ip4/203.0.113.3/tcp/1/p2p-circuit'))).rejects.toThrow(code('FORBIDDEN'))
    expect(asked).toHaveLength(9)
  })

  it('a central peer that is away, late or failed inside is BUSY, and its own refusals go through', async () => {
    const failing = [
      async () => Promise.reject(new FederationError('PEER_UNREACHABLE', 'gone', { tried: 1 })),
      async () => Promise.reject(new FederationError('PEER_TIMEOUT', 'late', { peer: '' })),
      async () => encodeRefusal({ status: 255, number: 0 }),
    ]
    for (const item of failing) {
      answer = item
      await expect(relay(FRAME, DEVICE)).rejects.toMatchObject({ code: 'BUSY', data: { retryAfterMs: 5_000 } })
    }
    answer = async () => encodeRefusal({ status: 20, number: 0 })
    await expect(relay(FRAME, DEVICE)).rejects.toThrow(code('SEAL_UNKNOWN'))
    answer = async () => encodeRefusal({ status: 13, number: 0 })
    await expect(relay(FRAME, DEVICE)).rejects.toThrow(code('FORBIDDEN'))
    here = undefined
    await expect(relay(FRAME, DEVICE)).rejects.toThrow(code('BUSY'))
  })
})
