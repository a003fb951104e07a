import { simulatedClock } from '@geotrace/core-wasm'
import { type GossipMessage, isValidPresence, type Presence, secretToSigner } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { REAL_PACE } from '../../src/membership/pace.ts'
import { presenceBeat } from '../../src/membership/presence.ts'

const NOW = Date.UTC(2026, 5, 1, 12)

function beating(members = 5, release?: Uint8Array) {
  const clock = simulatedClock(NOW)
  const machine = { offsetMs: 0 }
  const said: Presence[] = []
  const beat = presenceBeat({
    signer: secretToSigner(new Uint8Array(32).fill(7)),
    rosters: { newest: undefined },
    clock: { ...clock, now: () => clock.now() + machine.offsetMs },
    addresses: () => ['/ip4/127.0.0.1/tcp/4001'],
    members: () => members,
    ...(release && { release }),
    say: (message: GossipMessage) => said.push(message as Presence),
  })
  return { clock, machine, beat, said, times: () => said.map(({ time }) => time - NOW) }
}

describe('the presence of a peer', () => {
  it('a peer sends its presence every 30 s, and less often in a federation of more than twenty members', async () => {
    const few = beating()
    few.beat.start()
    await few.clock.advanceTo(NOW + 2 * REAL_PACE.presenceMs)
    expect(few.times()).toEqual([0, 30_000, 60_000])
    expect(few.said.every(isValidPresence)).toBe(true)
    const many = beating(60)
    many.beat.start()
    await many.clock.advanceTo(NOW + 2 * REAL_PACE.presenceMs)
    expect(many.times()).toEqual([0])
  })

  it('a peer signs the claim of its release, and claims none by default', async () => {
    const claim = new Uint8Array(8).fill(3)
    const [one, none] = [beating(5, claim), beating()]
    one.beat.start()
    none.beat.start()
    expect([...one.said, ...none.said].map(({ release }) => release)).toEqual([claim, new Uint8Array(8)])
    expect(isValidPresence(one.said[0]!)).toBe(true)
    expect(isValidPresence({ ...one.said[0]!, release: new Uint8Array(8).fill(4) })).toBe(false)
  })

  it('all events within a second cause one presence, and no event is lost', async () => {
    const { clock, beat, times } = beating()
    beat.start()
    for (let i = 0; i < 10; i++) beat.beat()
    await clock.advanceTo(NOW + 500)
    beat.beat()
    expect(times()).toEqual([0])
    await clock.advanceTo(NOW + 5_000)
    expect(times()).toEqual([0, 1_000])
    beat.beat()
    expect(times()).toEqual([0, 1_000, 5_000])
  })

  it('events cause presences less often in a federation of more than twenty members', async () => {
    const { clock, beat, times } = beating(60)
    beat.start()
    beat.beat()
    await clock.advanceTo(NOW + 10_000)
    expect(times()).toEqual([0, 3_000])
  })

  it('a new roster causes one presence two seconds later, and none after stop', async () => {
    const { clock, beat, times } = beating()
    beat.start()
    await clock.advanceTo(NOW + 10_000)
    beat.beatLater()
    beat.beatLater()
    await clock.advanceTo(NOW + 20_000)
    expect(times()).toEqual([0, 12_000])
    beat.beatLater()
    beat.stop()
    await clock.advanceTo(NOW + 120_000)
    expect(times()).toEqual([0, 12_000])
  })

  it('an event causes a presence within a second even after the clock was set back', async () => {
    const { clock, machine, beat, times } = beating()
    beat.start()
    machine.offsetMs = -3_600_000
    beat.beat()
    await clock.advanceTo(NOW + 1_000)
    expect(times()).toEqual([0, 1_000 - 3_600_000])
  })

  it('a stopped peer sends no presence', async () => {
    const { clock, beat, times } = beating()
    beat.start()
    beat.beat()
    beat.stop()
    beat.beat()
    await clock.advanceTo(NOW + 120_000)
    expect(times()).toEqual([0])
  })
})
