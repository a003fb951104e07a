import { loadCore } from '@geotrace/core-wasm'
import { describe, expect, it } from 'vitest'
import { FAULTS, pickFault } from '../../../src/testing/simulated/faults.ts'
import { type SimulatedFederation, simulatedFederation } from '../../../src/testing/simulated/federation.ts'

const START_MS = Date.UTC(2026, 10, 21, 9)
const MINUTE_MS = 60_000
const core = await loadCore()

/** A federation whose peers start within three seconds while faults strike. All faults end after three minutes. */
async function foundUnderFire(
  seed: string,
  kinds: readonly string[],
  isVictim: (node: number) => boolean,
): Promise<SimulatedFederation> {
  const federation = simulatedFederation({
    seed,
    nodes: 5,
    startMs: START_MS,
    core,
    parameters: { shards: 3, replicas: 3, periodEpochs: 3, reserveEpochs: 5 },
  })
  const { scheduler, random, saltNodes, central } = federation
  const own = random.fork('faults')
  const healMs = START_MS + 3 * MINUTE_MS
  const victims = { ...federation, saltNodes: saltNodes.filter((_, i) => isVictim(i)) }
  const peers = [...saltNodes, central]
  const machines = peers.map(({ name }) => name)
  for (const peer of peers) scheduler.after(own.between(0, 3_000), () => peer.start())
  for (let i = 0; i < 5; i++) {
    const kind = pickFault(
      FAULTS.filter(({ name }) => kinds.includes(name)),
      own,
    )
    scheduler.after(own.between(0, 5_000), () =>
      kind.strike({ federation: victims, random: own.fork(`${i}`), machines, healMs }),
    )
  }
  await scheduler.run(healMs + 5 * MINUTE_MS)
  return federation
}

function notServing({ saltNodes, central }: SimulatedFederation): string[] {
  return [...saltNodes, central].flatMap(({ name, running }) => {
    const status = running?.status()
    if (status?.state !== 'serving') return [`${name} is ${status?.state ?? 'down'}`]
    if (!('shards' in status)) return []
    return status.shards.filter(({ held }) => !held).map(({ shard }) => `${name} misses shard ${shard}`)
  })
}

describe('a founding while faults strike', () => {
  const KINDS = [
    'node-killed',
    'node-killed-again-and-again',
    'node-cut-off',
    'node-receives-nothing',
    'node-sends-nothing',
    'split-in-two',
    'packets-lost',
    'requests-replayed',
    'connections-break',
    'node-slow',
    'node-lies',
  ]
  it.each([0, 1, 2, 3, 4])('a founding succeeds when faults strike one node of five, world %i', async (world) => {
    const federation = await foundUnderFire(`founding-${world}`, KINDS, (node) => node === world)
    expect(notServing(federation)).toEqual([])
    expect([...federation.complaints, ...federation.network.failures]).toEqual([])
  })

  it.each([0, 1])(
    'a founding succeeds when network faults strike all nodes and none is killed, world %i',
    async (world) => {
      const kinds = KINDS.filter((name) => !name.includes('killed'))
      const federation = await foundUnderFire(`weather-${world}`, kinds, () => true)
      expect(notServing(federation)).toEqual([])
      expect([...federation.complaints, ...federation.network.failures]).toEqual([])
    },
  )
})
