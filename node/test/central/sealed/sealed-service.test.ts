import { type SimulatedClock, simulatedClock } from '@geotrace/core-wasm'
import { openRequest, type SealKeys, sealRequest, secretToSealKey } from '@geotrace/core-wasm/seal'
import { decodeSyncReply, MINUTE_MS, manifestToId, stampMinute } from '@geotrace/core-wasm/wire'
import { beforeEach, describe, expect, it } from 'vitest'
import { sealedService } from '../../../src/central/sealed/sealed-service.ts'
import { ERASED_MS } from '../../../src/central/sync/erasures.ts'
import { MINUTES_OFF_MAX } from '../../../src/central/sync/recent-minute.ts'
import type { Peer } from '../../../src/membership/peers.ts'
import type { Requester } from '../../../src/net/protocol.ts'
import { silent } from '../../../src/platform/log.ts'
import { systemRandom } from '../../../src/platform/random.ts'
import { noTokens } from '../../issuer.ts'
import { RELAY, type World, world } from '../world.ts'

const draw = (): SealKeys => {
  const secret = systemRandom(32)
  return { secret, key: secretToSealKey(secret) }
}
const code = (value: string) => expect.objectContaining({ code: value })
const as = (key: Uint8Array | undefined) => ({ key }) as Requester
const MEMBER: Peer = { key: RELAY, addresses: [], operator: 0, role: 'member' }

describe('a sealed sync at the central peer', () => {
  let w: World
  let keys: SealKeys[]
  let peer: Peer | undefined
  let slots: SimulatedClock
  let service: ReturnType<typeof sealedService>
  beforeEach(async () => {
    w = await world({ config: { newUsersPerRelay: 2 } })
    keys = [draw(), draw()]
    peer = MEMBER
    // A clock of its own, so that the syncs of a test come at one time.
    slots = simulatedClock(0)
    const peers = { withKey: (key: Uint8Array | undefined) => (key === RELAY ? peer : undefined) }
    const shared = {
      manifest: w.manifest,
      timer: slots,
      random: systemRandom,
      log: silent,
      sync: w.service,
      issuance: noTokens,
    }
    service = sealedService({ ...shared, peers, keys: () => keys })
  })
  /** Lets the clock reach the end of the slot in which the work of the sync ends. */
  const handle = async (frame: Uint8Array) => {
    const answer = service.handle(frame, as(RELAY))
    let isDone = false
    const done = () => {
      isDone = true
    }
    answer.then(done, done)
    while (!isDone) {
      await new Promise((resolve) => setImmediate(resolve))
      await slots.advanceTo(slots.now() + 1)
    }
    return await answer
  }
  const seal = (request: Uint8Array, key = keys[0]!.key) =>
    sealRequest(key, manifestToId(w.manifest), request, systemRandom)
  const send = async (request: Uint8Array, key = keys[0]!.key) => {
    const sent = seal(request, key)
    const answer = await handle(sent.frame)
    expect(answer.length).toBe(w.manifest.parameters.syncReplyBytes + 49)
    return decodeSyncReply(sent.openReply(answer))
  }
  const rows = () => ({ rows: { [w.epoch()]: [1] } })

  it('only members and newcomers pass syncs on, not strangers, HTTPS clients and the central peer itself', async () => {
    const { frame } = seal(w.device().frame())
    for (const key of [undefined, systemRandom(32)])
      await expect(service.handle(frame, as(key))).rejects.toThrow(code('FORBIDDEN'))
    peer = { ...MEMBER, role: 'central' }
    await expect(service.handle(frame, as(RELAY))).rejects.toThrow(code('FORBIDDEN'))
    peer = { ...MEMBER, role: 'newcomer' }
    await handle(frame)
    expect(service.counters).toEqual({ sealUnknown: 0, sealedRefusals: 0 })
  })

  it('the keys of both rosters open frames, and a frame to another key, a cut and a bent one are SEAL_UNKNOWN in clear', async () => {
    const device = w.device()
    for (const { key } of keys) expect((await send(device.frame(rows()), key)).refused).toEqual([])
    const { frame } = seal(device.frame())
    const bent = frame.slice()
    bent[100]! ^= 1
    const bad = [seal(device.frame(), draw().key).frame, frame.subarray(0, 200), bent]
    for (const item of bad) await expect(service.handle(item, as(RELAY))).rejects.toThrow(code('SEAL_UNKNOWN'))
    await expect(service.handle(frame.subarray(0, 20), as(RELAY))).rejects.toThrow(code('MESSAGE_MALFORMED'))
    keys = [draw(), keys[0]!]
    await handle(frame)
    keys = [draw(), draw()]
    await expect(service.handle(frame, as(RELAY))).rejects.toThrow(code('SEAL_UNKNOWN'))
    expect(service.counters.sealUnknown).toBe(5)
  })

  it('a refusal goes under the seal and has the size of a reply', async () => {
    await expect(send(w.device().frame(rows()).subarray(0, 300))).rejects.toThrow(code('MESSAGE_MALFORMED'))
    for (let i = 0; i < 2; i++) await send(w.device().frame(rows()))
    await expect(send(w.device().frame(rows()))).rejects.toThrow(code('BUSY'))
    expect(service.counters.sealedRefusals).toBe(2)
  })

  it('a frame of a minute more than ten off is refused on both sides, and a sync without a minute that changes something', async () => {
    const now = Math.floor(w.clock.now() / MINUTE_MS)
    const device = w.device()
    for (const off of [-MINUTES_OFF_MAX, 0, MINUTES_OFF_MAX]) await send(stampMinute(device.frame(rows()), now + off))
    for (const off of [-MINUTES_OFF_MAX - 1, MINUTES_OFF_MAX + 1, -now])
      await expect(send(stampMinute(device.frame(rows()), now + off))).rejects.toThrow(code('CLOCK_SKEWED'))
    await expect(send(stampMinute(device.frame({ erase: 'all' }), 0))).rejects.toThrow(code('CLOCK_SKEWED'))
    expect((await send(stampMinute(device.frame(), 0))).time).toBe(w.clock.now())
    expect((await w.store.statistics()).users).toBe(1)
  })

  it('a replayed frame changes nothing, gets another answer, and does not bring an erased user back', async () => {
    const device = w.device()
    const sent = seal(device.frame(rows()))
    const answers = [await handle(sent.frame), await handle(sent.frame)]
    expect(Buffer.compare(answers[0]!, answers[1]!)).not.toBe(0)
    expect(w.service.counters.duplicates).toBe(1)
    // Sent by a device whose clock is ahead, kept by the relay, and replayed when the erasure is as old as can be.
    const ahead = Math.floor(w.clock.now() / MINUTE_MS) + MINUTES_OFF_MAX
    const kept = seal(stampMinute(device.frame(rows()), ahead))
    await send(device.frame({ erase: 'all' }))
    const replay = async () => decodeSyncReply(kept.openReply(await handle(kept.frame)))
    await expect(replay()).rejects.toThrow(code('BUSY'))
    await w.clock.advanceTo(w.clock.now() + (2 * MINUTES_OFF_MAX + 1) * MINUTE_MS - 1)
    await expect(replay()).rejects.toThrow(code('BUSY'))
    await w.clock.advanceTo(w.clock.now() + ERASED_MS)
    await expect(replay()).rejects.toThrow(code('CLOCK_SKEWED'))
    expect((await w.store.statistics()).users).toBe(0)
  })

  it('the answer to one device opens for no other device, and the request is in no answer', async () => {
    const [one, other] = [seal(w.device().frame()), seal(w.device().frame())]
    const answer = await handle(one.frame)
    expect(() => other.openReply(answer)).toThrow(code('SEAL_UNKNOWN'))
    expect(decodeSyncReply(one.openReply(answer)).report).toBe('none')
    expect(openRequest(keys, manifestToId(w.manifest), one.frame).request).toHaveLength(
      w.manifest.parameters.syncRequestBytes[0]!,
    )
  })
})
