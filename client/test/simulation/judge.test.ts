import { loadCore } from '@geotrace/core-wasm'
import { GENERATOR } from '@geotrace/core-wasm/voprf'
import { EVALUATE_PROTOCOL, manifestToRoster, type Protocol, ROW_BYTES, rowToMeta } from '@geotrace/core-wasm/wire'
import { type FaultKind, simulatedFederation } from '@geotrace/node/testing'
import { describe, expect, it, vi } from 'vitest'
import { readTotals } from '../../src/device/totals.ts'
import { FIX_FAMILIES } from '../../src/diary/fix-states.ts'
import type { Storage } from '../../src/index.ts'
import { encodeRecord, FAMILIES, KEYS } from '../../src/storage/key-layout.ts'
import type { SimulatedDevice } from './device.ts'
import { runHistory, type SaltingName } from './history.ts'
import { judge } from './judge.ts'
import { seedToSalt } from './models.ts'

vi.mock('@noble/curves/ed25519.js', () => import('./native-ed25519.ts'))
vi.mock('../../../node/src/platform/native-signer.ts', () => import('./native-ed25519.ts'))
vi.mock('../../../core-wasm/src/wire/encoding/host-verify.ts', () => import('./native-ed25519.ts'))
vi.mock('../../../core-wasm/src/voprf/group.ts', () => import('../../../core-wasm/test/voprf/toy-group.ts'))

const core = await loadCore()
const scale = { nodes: 4, devices: 5, hours: 1, faults: 1 }

/** In an answer with evaluations: after the status and the time. */
const FIRST_ELEMENT = 9
/** From the breach to the end of all faults. */
const HEAL_MS = 600_000

/** The findings of a history in which a breach happens ten minutes before its faults end. No fault may cause a breach. */
async function findingsAfter(
  breach: (init: Parameters<FaultKind['strike']>[0], devices: readonly SimulatedDevice[]) => void,
  salting: SaltingName = 'plain',
): Promise<string> {
  const { findings } = await runHistory({
    seed: 'breach',
    // A breach may replace a function of this copy.
    core: { ...core },
    scale: { ...scale, salting },
    kinds: (devices) => [
      {
        name: 'breach',
        weight: 1,
        strike(init) {
          const { scheduler } = init.federation
          scheduler.after(init.healMs - scheduler.nowMs - HEAL_MS, () => breach(init, devices))
        },
      },
    ],
  })
  return findings.join('\n')
}

describe('the judge of histories', () => {
  it('the judge finds nothing in a history without a breach', async () => {
    expect(await findingsAfter(() => {})).toBe('')
  })

  it('the judge finds a row that vanished from the central peer', async () => {
    const found = await findingsAfter(({ federation }) => {
      const [users] = federation.deposits.rows.values()
      const [syncs] = users!.values()
      const [[name, rows]] = [...syncs!] as [[string, Uint8Array]]
      syncs!.set(name, rows.subarray(ROW_BYTES))
    })
    expect(found).toMatch(/misses 1 rows at the central peer and counts 0 lost/)
  })

  it('the judge finds a row at the central peer that no device made', async () => {
    const found = await findingsAfter(({ federation }) => {
      const [users] = federation.deposits.rows.values()
      const [syncs] = users!.values()
      syncs!.set('forged', Uint8Array.of(...new Uint8Array(12), rowToMeta({ size: 5, lags: 1 })))
    })
    expect(found).toMatch(/has a row at the central peer that no fix made/)
  })

  it('the judge finds a fix that a device forgot', async () => {
    const found = await findingsAfter((_, devices) => {
      const [block] = devices[0]!.taken.keys()
      const hex = block!.toString(16).padStart(8, '0')
      void devices[0]!.storage.batch(
        [FIX_FAMILIES.fix, FIX_FAMILIES.hashes].map((family) => ({ type: 'del', key: `${family}${hex}` })),
      )
    })
    expect(found).toMatch(/lost fixes that it had taken, 0 of them counted: blocks \d+/)
  })

  it('the judge finds a fix that left the pending ones unsent', async () => {
    const found = await findingsAfter((_, devices) => {
      const device = devices[0]!
      device.record({ lat: 10, lng: 10 }, 3)
      const { batch } = device.storage
      device.storage.batch = (operations) =>
        batch(
          operations.map((item) => {
            const { type, key } = item
            const isHashed = type === 'put' && key.startsWith(FIX_FAMILIES.pending) && item.value[0] !== 0
            return isHashed ? { type: 'del', key } : item
          }),
        )
    })
    expect(found).toMatch(/misses \d+ rows at the central peer and counts 0 lost/)
  })

  it('the judge finds a mark that a device did not keep', async () => {
    const found = await findingsAfter((_, devices) => {
      for (const { storage } of devices) {
        const { batch } = storage
        storage.batch = (operations) => batch(operations.filter(({ key }) => !key.startsWith(FAMILIES.mark)))
      }
    })
    expect(found).toMatch(/lacks a mark of degree/)
  })

  it('the judge finds rows that were hashed with another salt', async () => {
    const found = await findingsAfter(({ federation }) => {
      const { hashRiskPoints } = federation.core
      federation.core.hashRiskPoints = (points, secrets) =>
        hashRiskPoints(
          points,
          secrets.map((byte) => byte ^ 1),
        )
    })
    expect(found).toMatch(/misses \d+ rows/)
  })

  it('the judge finds a node that does not answer with the salts of its shards', async () => {
    const found = await findingsAfter(({ federation: { scheduler, network } }) => {
      const noise = (_: unknown, __: unknown, reply: Uint8Array): Uint8Array => reply.map((byte) => byte ^ 1)
      scheduler.after(HEAL_MS + 1_000, () => void network.liars.set('node-0', noise))
    })
    expect(found).toMatch(/node-0 gives no salt of shard \d/)
  })

  it('the judge finds a peer that lacks a roster, and a peer that has another roster', async () => {
    const found = await findingsAfter(({ federation: { saltNodes } }) => {
      for (const [i, { running }] of saltNodes.slice(0, 2).entries()) {
        const membership = running!.membership.bind(running)
        running!.membership = () => {
          const own = membership()!
          const all = own.rosters.recent.slice(0, -1)
          const other = { ...own.rosters.newest!, hash: new Uint8Array(32) }
          return { ...own, rosters: { ...own.rosters, recent: i === 0 ? all : [...all, other] } }
        }
      }
    })
    expect(found).toMatch(/node-0 lacks the roster of height \d/)
    expect(found).toMatch(/has another roster of height \d/)
  })

  it('the judge finds a member that no roster admitted', async () => {
    const found = await findingsAfter(({ federation: { joined } }) => void (joined as Set<string>).add('node-3'))
    expect(found).toBe('node-3 is listed and no roster made its join')
  })

  it('the judge finds a rank that changed after it was drawn', async () => {
    const found = await findingsAfter(({ federation: { saltNodes, central } }) => {
      for (const { running } of [...saltNodes, central]) {
        const roster = running?.membership()?.rosters.newest?.roster
        if (roster !== undefined) roster.operators[0]!.rank = new Uint8Array(32)
      }
    })
    expect(found).toMatch(/node-0 .* has another rank in roster [1-9]/)
  })

  it('the judge finds a pin that a node does not know, and rows without a pin', async () => {
    const found = await findingsAfter(({ federation: { deposits, scheduler } }, [device]) => {
      // At the very end, because the central peer sends its pins again.
      scheduler.after(HEAL_MS, () => {
        const [first, second] = [...deposits.pins.values()]
        deposits.pins.set(first!.epoch, { ...first!, roster: new Uint8Array(32) })
        deposits.pins.delete(second!.epoch)
        void device!.sync()
      })
    })
    expect(found).toMatch(/node-0 knows 1 pins of epoch \d+, or not that of the central peer/)
    expect(found).toMatch(/epoch \d+ has rows and no pin/)
  })

  it('the judge finds rows that a device counts as lost', async () => {
    const found = await findingsAfter((_, [device]) => {
      const { get } = device!.storage
      const lossy = async (key: string) =>
        key === KEYS.totals ? encodeRecord({ ...(await readTotals({ get } as Storage)), rowsLost: 3 }) : await get(key)
      device!.storage.get = lossy
    })
    expect(found).toBe('device-0 lost 3 rows, 0 of them to a roster')
  })

  it('the judge finds salts of two seeds in one shard and roster', async () => {
    const federation = simulatedFederation({ seed: 'two', nodes: 4, startMs: Date.UTC(2026, 10, 21), core })
    const { firstEpoch } = manifestToRoster(federation.manifest)
    const seeds = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
    federation.drawn.push(...seeds)
    const [one, two] = seeds.map((seed) => seedToSalt(seed, firstEpoch, 80, firstEpoch))
    const seen = new Map([
      [one!, ['a']],
      [two!, ['b', 'c']],
    ])
    const { findings } = await judge(federation, [], new Map([[`3/80/${firstEpoch}`, seen]]))
    expect(findings).toContain(`salt 3/80/${firstEpoch} differs: ${two!.slice(0, 8)} by b, c is of a second seed`)
  })

  it('the judge finds a salt of no seed, a node that stays away, and a missing roster', async () => {
    const federation = simulatedFederation({ seed: 'idle', nodes: 4, startMs: 0, core })
    const salts = new Map([
      [
        '3/5/100',
        new Map([
          ['aa'.repeat(32), ['a']],
          ['bb'.repeat(32), ['b', 'c']],
        ]),
      ],
    ])
    const { findings } = await judge(federation, [], salts)
    expect(findings).toContain('salt 3/5/100 follows from no seed that a node drew')
    expect(findings).toContain('node-2 is down after all faults ended')
    expect(findings).toContain('no roster is in force at the end')
  })
})

describe('the judge of histories under threshold salting', () => {
  it('the judge finds unproven use, free evaluations, seeds given away, and an answer that combines to another key', async () => {
    const found = await findingsAfter(({ federation: { saltNodes, network, scheduler, manifest } }, [device]) => {
      const { firstEpoch } = manifestToRoster(manifest)
      for (const { key } of saltNodes) {
        for (const part of [0, 1, 2]) network.given.add(`${Buffer.from(key).toString('hex')} 0 ${firstEpoch} ${part}`)
      }
      const bend = (protocol: Protocol, _: Uint8Array, reply: Uint8Array): Uint8Array => {
        if (protocol.id === EVALUATE_PROTOCOL.id && reply[0] === 0) reply.set(GENERATOR, FIRST_ELEMENT)
        return reply
      }
      // At the very end, because devices ask again until then.
      scheduler.after(HEAL_MS + 1_000, () => {
        const salted = network.salted as Map<string, number>
        salted.set('node-1', 1e6)
        network.liars.set('node-0', bend)
      })
      Object.defineProperty(device, 'evaluations', { value: [] })
    }, 'threshold')
    expect(found).toMatch(/device-0 used a key of shard \d, epoch \d+ after 0 answers/)
    expect(found).toMatch(/node-1 evaluated 100\d+ requests and charged \d{1,4}$/m)
    expect(found).toMatch(/1 replicas got all seeds of shard 0 from epoch \d+ on/)
    expect(found).toMatch(/node-0, node-\d give another key of shard \d together|node-\d, node-0 give another key/)
  })

  it('the judge finds a key that no seed gives, and a part key that follows from no drawn seed', async () => {
    const federation = simulatedFederation({
      ...{ seed: 'two', nodes: 4, startMs: Date.UTC(2026, 10, 21), core },
      parameters: { salting: 'threshold', replicas: 3, threshold: 2 },
    })
    const { firstEpoch } = manifestToRoster(federation.manifest)
    const seen = new Map([['aa'.repeat(32), ['a']]])
    const { findings } = await judge(federation, [], new Map([[`3/77/${firstEpoch}`, seen]]))
    expect(findings).toContain(`a key of shard 3, epoch ${firstEpoch} by a is of no seed`)
    const found = await findingsAfter(({ federation: { drawn } }) => void drawn.splice(0), 'threshold')
    expect(found).toMatch(/part \d of shard \d follows from no seed that a node drew/)
  })
})
