import { simulatedClock } from '@geotrace/core-wasm'
import {
  assertManifest,
  bodyToCertified,
  encodeCertifiedRoster,
  encodeRoster,
  manifestToId,
  manifestToRoster,
  newChange,
  SETTLED_MAX_BYTES,
  settledBytes,
  signChange,
} from '@geotrace/core-wasm/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { createMembership } from '../../src/membership/membership.ts'
import { fileRecords } from '../../src/platform/file-records.ts'
import { silent } from '../../src/platform/log.ts'
import { nativeSigner } from '../../src/platform/native-signer.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { cast, Stage } from '../salt/federation.ts'
import { randomRoots } from './founding.ts'

const NOW = Date.UTC(2026, 5, 1, 12)
const stage = new Stage()
afterEach(() => stage.end())

describe('a membership', () => {
  it('a full federation refuses a join when it is submitted and says what to do, but takes a leave', async () => {
    const clock = simulatedClock(NOW)
    const players = await cast(5, NOW, { replicas: 1 })
    const isFull = (shards: number): boolean => {
      const parameters = { ...players.manifest.parameters, shards }
      return settledBytes(manifestToRoster({ ...players.manifest, parameters })) > SETTLED_MAX_BYTES
    }
    let shards = 1_000
    while (!isFull(shards + 1)) shards++
    // The largest federation that may be founded: one shard more is too many.
    const found = (count: number) =>
      assertManifest({ ...players.manifest, parameters: { ...players.manifest.parameters, shards: count } })
    expect(() => found(shards + 1)).toThrow(expect.objectContaining({ code: 'MANIFEST_INVALID' }))
    const manifest = found(shards)
    const records = await fileRecords(await stage.dir())
    const roster = { ...manifestToRoster(manifest), sheets: randomRoots(shards) }
    await records.put('roster-0', encodeCertifiedRoster(bodyToCertified(encodeRoster(roster), [], [])))
    const host = await stage.host(clock, players.centralSecret)
    const membership = await createMembership({
      ...{ manifest, host, records, clock, random: systemRandom, log: silent },
      ...{ signer: nativeSigner(players.centralSecret), addresses: () => [] },
    })
    const [joiner, operator] = [nativeSigner(systemRandom(32)), nativeSigner(systemRandom(32))]
    const sponsors = players.operatorSecrets.slice(0, 3).map(nativeSigner)
    const join = newChange(manifestToId(manifest), {
      ...{ kind: 'join', until: roster.firstEpoch + 99, operator: 'newcomer', operatorKey: operator.key },
      ...{ key: joiner.key, addresses: ['/ip4/127.0.0.1/tcp/1'] },
    })
    const change = [joiner, operator, ...sponsors].reduce(signChange, join)
    expect(() => membership.submit(change)).toThrow(
      expect.objectContaining({ code: 'CHANGE_INVALID', message: expect.stringContaining('the federation is full') }),
    )
    expect(membership.pool.changes()).toEqual([])
    const leave = newChange(manifestToId(manifest), {
      ...{ kind: 'leave', until: roster.firstEpoch + 99, key: roster.members[0]!.key },
    })
    membership.submit(signChange(leave, nativeSigner(players.operatorSecrets[0]!)))
    expect(membership.pool.changes()).toHaveLength(1)
  })
})
