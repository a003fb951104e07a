/** Sends mutated frames of every protocol to a real host. The tests of core-wasm send more to the decoders alone. */
import { randomInt } from 'node:crypto'
import { systemClock } from '@geotrace/core-wasm'
import { openRequest, sealRequest, secretToSealKey } from '@geotrace/core-wasm/seal'
import * as wire from '@geotrace/core-wasm/wire'
import { afterEach, expect, it } from 'vitest'
import { DATA, FIN, frameReader, RST, rawPeer, wholeRequest } from '../../../core-wasm/bench/raw-peer.js'
import { CORPUS, decoders } from '../../../core-wasm/test/wire/corpus.ts'
import { nextFrame, xorshift } from '../../../core-wasm/test/wire/fuzz.ts'
import { createHost } from '../../src/net/host.ts'
import { type Log, silent } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'

const FRAMES = 1_500
const FRAME_MAX_BYTES = 16_000
const PROTOCOLS = Object.entries(wire)
  .filter(([name]) => name.endsWith('_PROTOCOL'))
  .map(([name, protocol]) => [name, protocol as wire.Protocol] as const)
const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

interface Frames {
  decode(request: Uint8Array): unknown
  readonly frames: readonly Uint8Array[]
}

/** decodeSaltRequest decodes the requests of SALT_PROTOCOL, and so on. */
function framesOf(name: string): Frames {
  const word = name.replace(/_PROTOCOL$/, '').toLowerCase()
  const decoder = `decode${word[0]!.toUpperCase()}${word.slice(1)}Request`
  const [, decode] = decoders().find(([item]) => item === decoder)!
  return { decode, frames: CORPUS[decoder]! }
}

const isSealed = ({ id }: wire.Protocol): boolean => [wire.RELAY_PROTOCOL.id, wire.SEALED_PROTOCOL.id].includes(id)

/** Syncs that are sealed to a key which the host has. */
function sealedFrames(): Frames {
  const [secret, federation] = [systemRandom(32), systemRandom(32)]
  const keys = { secret, key: secretToSealKey(secret) }
  const small = CORPUS.decodeSyncRequest!.filter(({ length }) => length < FRAME_MAX_BYTES / 2)
  return {
    decode: (frame) => openRequest([keys], federation, frame),
    frames: small.map((sync) => sealRequest(keys.key, federation, sync, systemRandom).frame),
  }
}

it.each(PROTOCOLS)('%s: every stream with a mutated request ends and no handler fails', async (name, protocol) => {
  const { decode, frames } = isSealed(protocol) ? sealedFrames() : framesOf(name)
  const failed: string[] = []
  const log: Log = { ...silent, error: (event) => failed.push(event) }
  const limits = { workPerSecond: 1e9, workBurst: 1e9, newBurst: 1_000 }
  const listen = ['/ip4/127.0.0.1/tcp/0']
  const host = await createHost({ secret: systemRandom(32), listen, clock: systemClock(), log, limits })
  ends.push(() => host.stop())
  let accepted = 0
  await host.serve(protocol, async (request) => {
    // A decoder throws a FederationError for bytes that are no request, and the host turns it into a refusal.
    decode(request)
    accepted++
    return Uint8Array.of(0)
  })
  const peer = await rawPeer(host.addresses()[0]!)
  ends.push(() => peer.stop())
  const open = new Map<number, () => void>()
  peer.listen(
    frameReader(({ type, flags, id }: { type: number; flags: number; id: number }) => {
      if (type !== DATA && flags & (RST | FIN)) open.get(id)?.()
      if (flags & (RST | FIN)) open.delete(id)
    }),
  )
  const random = xorshift(randomInt(1, 2 ** 32 - 1))
  const all = Object.values(CORPUS).flat()
  for (let i = 0; i < FRAMES; i++) {
    const ended = new Promise<void>((resolve) => open.set(2 * i + 1, resolve))
    const sent = i === 0 ? frames[0]! : nextFrame(random, frames, all)
    expect(peer.send(wholeRequest(2 * i + 1, protocol.id, sent.subarray(0, FRAME_MAX_BYTES)))).toBe(true)
    await ended
  }
  expect(accepted).toBeGreaterThan(0)
  expect(accepted).toBeLessThan(FRAMES)
  expect(failed).toEqual([])
})
