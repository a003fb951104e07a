import { type Clock, simulatedClock } from '@geotrace/core-wasm'
import {
  answerToSalts,
  encodeSaltRequest,
  hashToRosterName,
  keyToShards,
  MINUTE_MS,
  SALT_PROTOCOL,
  timeToEpoch,
} from '@geotrace/core-wasm/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { type ClockWatch, SKEW_MAX_MS } from '../../src/membership/clock-watch.ts'
import { heartbeat } from '../../src/salt/heartbeat.ts'
import { cast, fetchRoster, isServing, Stage, until, untilLater } from './federation.ts'

const NOW = Date.UTC(2026, 5, 1, 12)
const stage = new Stage()
afterEach(() => stage.end())

/** A clock whose time can be set while its timers run evenly. */
function settableClock() {
  const base = simulatedClock(NOW)
  let aheadMs = 0
  const clock: Clock = { now: () => base.now() + aheadMs, setTimer: (fn, delayMs) => base.setTimer(fn, delayMs) }
  return { clock, base, jump: (ms: number) => void (aheadMs += ms) }
}

function beating(answer: () => number, aheadMs = 0) {
  const { clock, base, jump } = settableClock()
  jump(aheadMs)
  const advanced: number[] = []
  const watch: ClockWatch & { offsetMs: number } = {
    offsetMs: 0,
    peersOffsetMs: undefined,
    reach: undefined,
    async check() {
      watch.offsetMs = answer()
    },
    assertTrue() {},
  }
  let swept = 0
  let missing = 0
  let due: number | undefined
  const pulse = heartbeat({
    clock,
    watch,
    advance: (nowMs) => advanced.push(nowMs),
    nextMs: () => due,
    async sweep() {
      swept++
    },
    async seek() {
      return --missing > 0
    },
    failed: (what) => {
      throw new Error(what)
    },
  })
  pulse.start()
  return {
    base,
    jump,
    advanced,
    pulse,
    swept: () => swept,
    missing: (count?: number) => (count === undefined ? missing : (missing = count)),
    due: (ms: number) => {
      due = ms
    },
  }
}

describe('the heartbeat', () => {
  it('the heartbeat winds the ratchet at the moment an epoch closes and every minute, and sweeps the quota, until `stop`', async () => {
    const beat = beating(() => 0)
    await beat.base.advanceTo(NOW + MINUTE_MS)
    beat.due(NOW + MINUTE_MS + 60_000 + 12_345)
    await beat.base.advanceTo(NOW + 3 * MINUTE_MS)
    expect([...new Set(beat.advanced)]).toEqual([NOW + MINUTE_MS, NOW + 2 * MINUTE_MS, NOW + 2 * MINUTE_MS + 12_345])
    await beat.base.advanceTo(NOW + 40 * MINUTE_MS)
    expect(beat.swept()).toBeGreaterThanOrEqual(3)
    beat.pulse.stop()
    const before = beat.advanced.length
    await beat.base.advanceTo(NOW + 50 * MINUTE_MS)
    expect(beat.advanced).toHaveLength(before)
  })

  it('the heartbeat goes on by its timers after a jump that the peers’ clocks did not make, until the clock is right', async () => {
    for (const jumpMs of [5 * 60 * MINUTE_MS, -5 * 60 * MINUTE_MS]) {
      let offsetMs = 0
      const beat = beating(() => offsetMs)
      await beat.base.advanceTo(NOW + MINUTE_MS)
      offsetMs = jumpMs
      beat.jump(offsetMs)
      await beat.base.advanceTo(NOW + 10 * MINUTE_MS)
      expect([...new Set(beat.advanced)]).toEqual(Array.from({ length: 10 }, (_, i) => NOW + (i + 1) * MINUTE_MS))
      beat.jump(-offsetMs)
      offsetMs = 0
      await beat.base.advanceTo(NOW + 15 * MINUTE_MS)
      expect(beat.advanced.at(-1)).toBe(NOW + 15 * MINUTE_MS)
    }
  })

  it('the heartbeat winds the ratchet in time while lying peers make it doubt a right clock', async () => {
    const beat = beating(() => -60 * MINUTE_MS)
    beat.due(NOW + 95_000)
    await beat.base.advanceTo(NOW + 10 * MINUTE_MS)
    expect(beat.advanced).toContain(NOW + 95_000)
    expect(beat.advanced.at(-1)).toBe(NOW + 9 * MINUTE_MS + 35_000)
  })

  it('a node that starts with a clock five hours ahead erases nothing early', async () => {
    const beat = beating(() => 5 * 60 * MINUTE_MS, 5 * 60 * MINUTE_MS)
    await beat.base.advanceTo(NOW + 10 * MINUTE_MS)
    expect(beat.advanced.length).toBeGreaterThan(0)
    expect(Math.max(...beat.advanced)).toBeLessThanOrEqual(NOW + 10 * MINUTE_MS)
  })

  it('the heartbeat winds the ratchet after a jump that the peers’ clocks made too, as after a machine’s sleep', async () => {
    const beat = beating(() => SKEW_MAX_MS)
    beat.jump(5 * 60 * MINUTE_MS)
    await beat.base.advanceTo(NOW + MINUTE_MS)
    expect(beat.advanced).toEqual([NOW + MINUTE_MS, NOW + 5 * 60 * MINUTE_MS + MINUTE_MS])
  })

  it('the heartbeat looks for missing seeds at once and then every two seconds until none is missing', async () => {
    const beat = beating(() => 0)
    beat.missing(4)
    beat.pulse.joined()
    await beat.base.advanceTo(NOW)
    expect(beat.missing()).toBe(3)
    await beat.base.advanceTo(NOW + 2_000)
    expect(beat.missing()).toBe(2)
    await beat.base.advanceTo(NOW + 60_000)
    expect(beat.missing()).toBe(0)
  })

  it('the heartbeat looks every 30 s for seeds still missing after a minute, and at once for a returned peer or new roster', async () => {
    const beat = beating(() => 0)
    beat.missing(1_000)
    const tries = () => 1_000 - beat.missing()
    beat.pulse.met()
    expect(tries()).toBe(0)
    beat.pulse.joined()
    await beat.base.advanceTo(NOW + MINUTE_MS)
    expect(tries()).toBe(31)
    await beat.base.advanceTo(NOW + 11 * MINUTE_MS)
    expect(tries()).toBe(51)
    beat.pulse.met()
    expect(tries()).toBe(52)
    await beat.base.advanceTo(NOW + 11 * MINUTE_MS + 4_000)
    expect(tries()).toBe(54)
    await beat.base.advanceTo(NOW + 20 * MINUTE_MS)
    const before = tries()
    beat.pulse.joined()
    expect(tries()).toBe(before + 1)
    beat.missing(1)
    await beat.base.advanceTo(NOW + 22 * MINUTE_MS)
    expect(beat.missing()).toBe(0)
    beat.pulse.met()
    await beat.base.advanceTo(NOW + 30 * MINUTE_MS)
    expect(beat.missing()).toBe(0)
    await beat.pulse.stop()
  })
})

describe('a node whose clock is off', () => {
  it('a node whose clock is more than thirty seconds off answers CLOCK_SKEWED', async () => {
    const clock = simulatedClock(NOW)
    const players = await cast(4, NOW)
    const ahead: Clock = { now: () => clock.now() + 31_000, setTimer: (fn, delayMs) => clock.setTimer(fn, delayMs) }
    const central = await stage.central(players, clock)
    const nodes = await Promise.all(
      players.secrets.map(async (secret, i) =>
        stage.node({
          manifest: players.manifest,
          secret,
          operatorSecret: players.operatorSecrets[i]!,
          dir: await stage.dir(),
          clock: i === 1 ? ahead : clock,
        }),
      ),
    )
    await Promise.all([central.start(), ...nodes.map((node) => node.start())])
    await untilLater(clock, () => nodes.every(isServing) && central.rosters.newest !== undefined)
    await until(() => nodes[1]!.status().clockOffsetMs > 30_000)
    const client = await stage.host(clock)
    const peer = { key: nodes[1]!.key, addresses: nodes[1]!.addresses() }
    const certified = await fetchRoster(client, peer)
    const ask = async (i: number): Promise<string> => {
      const { key } = nodes[i]!
      const shard = keyToShards(certified.roster, key)[0]!
      const blocks = [{ size: 80, n: timeToEpoch(NOW) }]
      const request = encodeSaltRequest({ roster: hashToRosterName(certified.hash), shard, blocks })
      const bytes = await client.request({ key, addresses: nodes[i]!.addresses() }, SALT_PROTOCOL, request)
      try {
        answerToSalts(bytes, certified, shard, blocks, key)
        return 'OK'
      } catch (error) {
        return (error as { code: string }).code
      }
    }
    const holders = [0, 1, 2, 3].filter((i) => keyToShards(certified.roster, nodes[i]!.key).length > 0)
    for (const i of holders) expect(await ask(i)).toBe(i === 1 ? 'CLOCK_SKEWED' : 'OK')
  })
})
