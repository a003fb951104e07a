import { simulatedClock } from '@geotrace/core-wasm'
import { testManifest } from '@geotrace/core-wasm/testing'
import {
  DAY_MS,
  encodePaidFrame,
  encodeRefusal,
  FederationError,
  HOUR_MS,
  manifestToId,
  peerIdToKey,
  SEALED_FRAME_BYTES,
  SEALED_PROTOCOL,
} from '@geotrace/core-wasm/wire'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Peer } from '../../src/membership/peers.ts'
import { addressToRequester } from '../../src/net/guard/requester.ts'
import type { Handler, Host, Requester } from '../../src/net/protocol.ts'
import { paidFrames } from '../../src/relay/paid-frames.ts'
import { relayService } from '../../src/relay/relay-service.ts'
import { tokenCheck } from '../../src/tokens/token-check.ts'
import { TOKENS, tokenFor } from '../issuer.ts'

const manifest = testManifest({ devicesPerAddress: 2 })
const [SIZE] = manifest.parameters.syncRequestBytes
const central: Peer = { key: peerIdToKey(manifest.central.peerId), addresses: [], operator: 5, role: 'central' }
const from = (address: string): Requester => ({ key: undefined, ...addressToRequester(address) })
const DEVICE = from('/ip4/203.0.113.1/tcp/1')
const frameOf = (bytes: number) => Uint8Array.from({ length: bytes }, (_, i) => (i === 0 ? 1 : i))
const FRAME = frameOf(SIZE! + SEALED_FRAME_BYTES)
const federation = manifestToId(manifest)
const node = new Uint8Array(32).fill(7)
const DAY = 20_777
const NOW = DAY * DAY_MS
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
    const checkToken = tokenCheck({ kind: 'relay', federation, node, parameters: () => [TOKENS] })
    relay = relayService({
      manifest,
      host,
      peers: { withKey: () => here },
      clock: simulatedClock(NOW),
      checkToken,
      allows,
    })
  })

  it('a relay passes frame and reply on unchanged, to the central peer only', async () => {
    expect(await relay(FRAME, DEVICE)).toEqual(Uint8Array.of(0, 7, 7))
    expect(asked).toEqual([[central, SEALED_PROTOCOL, FRAME, { withinMs: expect.any(Number) }]])
  })

  it('a frame of no size class or of another version is refused before it costs anything', async () => {
    for (const bytes of [1, 49, FRAME.length - 1, FRAME.length + 1])
      await expect(relay(frameOf(bytes), DEVICE)).rejects.toThrow(code('MESSAGE_MALFORMED'))
    await expect(relay(new Uint8Array(0), DEVICE)).rejects.toThrow(code('MESSAGE_MALFORMED'))
    await expect(relay(Uint8Array.from([3, ...FRAME.slice(1)]), DEVICE)).rejects.toThrow(code('VERSION_UNKNOWN'))
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

  it('a token pays for four frames an hour whatever the address, the relay takes it off, and another token has its own', async () => {
    for (let i = 0; i < 8; i++) await relay(FRAME, DEVICE)
    await expect(relay(FRAME, DEVICE)).rejects.toThrow(code('QUOTA_SPENT'))
    const [one, two] = [0, 1].map(() => tokenFor(federation, node, DAY, 'relay')) as [Uint8Array, Uint8Array]
    for (let i = 0; i < 4; i++) await relay(encodePaidFrame(one, FRAME), DEVICE)
    // Replayed by somebody else it opens the same bucket.
    await expect(relay(encodePaidFrame(one, FRAME), from('/ip4/203.0.113.9/tcp/1'))).rejects.toThrow(
      code('QUOTA_SPENT'),
    )
    await relay(encodePaidFrame(two, FRAME), DEVICE)
    expect(asked).toHaveLength(13)
    for (const [, , frame] of asked) expect(frame).toEqual(FRAME)
  })

  it('a token of another kind, relay, day or federation, a forged, a truncated and a swapped one are refused and send nothing', async () => {
    const good = tokenFor(federation, node, DAY, 'relay')
    const bad = [
      tokenFor(federation, node, DAY),
      tokenFor(federation, new Uint8Array(32), DAY, 'relay'),
      tokenFor(federation, node, DAY - 1, 'relay').slice(),
      tokenFor(new Uint8Array(32), node, DAY, 'relay'),
      good.map((byte, i) => (i === 300 ? byte ^ 1 : byte)),
      new Uint8Array([...tokenFor(federation, node, DAY, 'relay').slice(0, 98), ...good.slice(98)]),
    ]
    // The day before is good until two minutes after midnight.
    await relay(encodePaidFrame(bad.splice(2, 1)[0]!, FRAME), DEVICE)
    for (const token of bad)
      await expect(relay(encodePaidFrame(token, FRAME), DEVICE)).rejects.toThrow(code('TOKEN_REFUSED'))
    const whole = encodePaidFrame(good, FRAME)
    for (const end of [1, 200, 355])
      await expect(relay(whole.slice(0, end), DEVICE)).rejects.toThrow(code('MESSAGE_MALFORMED'))
    await expect(relay(encodePaidFrame(good, frameOf(100)), DEVICE)).rejects.toThrow(code('MESSAGE_MALFORMED'))
    await expect(relay(encodePaidFrame(good, whole), DEVICE)).rejects.toThrow(code('VERSION_UNKNOWN'))
    expect(asked).toHaveLength(1)
    await relay(whole, DEVICE)
  })

  it('a table of tokens that is full refuses a new token, keeps the known ones, and has room when an hour is over', async () => {
    const clock = simulatedClock(NOW)
    const frames = paidFrames(clock, 3)
    const token = (n: number) => ({ day: DAY, name: new Uint8Array(16).fill(n) })
    for (let n = 0; n < 3; n++) frames.admit(token(n))
    expect(() => frames.admit(token(3))).toThrow(code('TOKEN_REFUSED'))
    for (let i = 0; i < 3; i++) frames.admit(token(0))
    expect(() => frames.admit(token(0))).toThrow(expect.objectContaining({ data: { retryAfterMs: HOUR_MS / 4 } }))
    await clock.advanceTo(NOW + HOUR_MS / 4)
    frames.admit(token(3))
    await clock.advanceTo(NOW + HOUR_MS)
    frames.admit(token(0))
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
