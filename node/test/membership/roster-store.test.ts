import { foundRoster, nextTestRoster, testManifest, testTrees } from '@geotrace/core-wasm/testing'
import {
  type CertifiedRoster,
  decodeCertifiedRoster,
  encodeCertifiedRoster,
  hashToRosterName,
  quorum,
} from '@geotrace/core-wasm/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { openRosterStore } from '../../src/membership/roster-store.ts'
import { fileRecords } from '../../src/platform/file-records.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { errorCode } from '../error-code.ts'
import { cast, Stage } from '../salt/federation.ts'
import { certifyFounding } from './founding.ts'

const NOW = Date.UTC(2026, 5, 1, 12)
const stage = new Stage()
afterEach(() => stage.end())

describe('the roster store', () => {
  it('the store takes a certified roster once, keeps it on disk, and stops at a second certificate of its height', async () => {
    const players = await cast(5, NOW)
    const dir = await stage.dir()
    const rosters = await openRosterStore(players.manifest, await fileRecords(dir))
    const added: CertifiedRoster[] = []
    rosters.onAdd((certified) => added.push(certified))
    const one = certifyFounding(players)
    const two = certifyFounding(players)
    expect(await Promise.all([rosters.add(one), rosters.add(one), rosters.add(one)])).toEqual([true, false, false])
    expect(added).toEqual([one])
    expect(rosters.isForked).toBe(false)
    // Both are certified, so neither is right: the first stays and the store stops, also after a restart.
    expect(await errorCode(rosters.add(two))).toBe('ROSTER_FORKED')
    const again = await openRosterStore(players.manifest, await fileRecords(dir))
    for (const item of [rosters, again]) expect(item.isForked).toBe(true)
    expect(await again.add(two)).toBe(false)
    expect(added).toEqual([one])
    expect(again.newest?.hash).toEqual(one.hash)
    expect(again.named(one.hash.slice(0, 8))?.hash).toEqual(one.hash)
    expect(again.named(two.hash.slice(0, 8))).toBeUndefined()
    const { firstEpoch } = one.roster
    expect(
      [firstEpoch - 1, firstEpoch, firstEpoch + 20, firstEpoch + 21].map((e) => again.inForce(e) !== undefined),
    ).toEqual([false, true, true, false])
  })

  it('the store uses the later of two rosters that follow the same one, also from disk, and drops what followed the other', async () => {
    const manifest = testManifest({ shards: 1, periodEpochs: 2, reserveEpochs: 1 })
    const first = foundRoster(manifest, testTrees(manifest))
    const one = nextTestRoster(first)
    const { firstEpoch } = one.roster
    const two = nextTestRoster(first, { firstEpoch: firstEpoch + 2 })
    const afterOne = nextTestRoster(one, { firstEpoch: firstEpoch + 4 })
    const afterTwo = nextTestRoster(two, { firstEpoch: firstEpoch + 6 })
    const records = await fileRecords(await stage.dir())
    const rosters = await openRosterStore(manifest, records)
    const added: CertifiedRoster[] = []
    rosters.onAdd((certified) => added.push(certified))
    for (const roster of [first, one, afterOne]) expect(await rosters.add(roster)).toBe(true)
    expect(await rosters.add(two)).toBe(false)
    expect(await rosters.add(afterTwo)).toBe(true)
    expect(added).toEqual([first, one, afterOne, two, afterTwo])
    expect(rosters.recent).toEqual([first, two, afterTwo])
    expect((await openRosterStore(manifest, records)).recent.map(({ hash }) => hash)).toEqual(
      rosters.recent.map(({ hash }) => hash),
    )
    // A crash after the first of two writes leaves the roster that followed the other one above it.
    const rest = await fileRecords(await stage.dir())
    for (const [height, roster] of [first, two, afterOne].entries()) {
      await rest.put(`roster-${height}`, encodeCertifiedRoster(roster))
    }
    const opened = await openRosterStore(manifest, rest)
    expect(opened.recent.map(({ hash }) => hash)).toEqual([first.hash, two.hash])
    expect(await opened.add(afterTwo)).toBe(true)
  })

  it('the store keeps 64 rosters in memory and all of them on disk, also after a restart', async () => {
    const manifest = testManifest({ shards: 1, periodEpochs: 2, reserveEpochs: 1 })
    const all = [foundRoster(manifest, testTrees(manifest))]
    while (all.length < 70) all.push(nextTestRoster(all.at(-1)!))
    const records = await fileRecords(await stage.dir())
    const rosters = await openRosterStore(manifest, records)
    for (const roster of all) expect(await rosters.add(roster)).toBe(true)
    const again = await openRosterStore(manifest, records)
    for (const store of [rosters, again]) {
      expect(store.recent.map(({ hash }) => hash)).toEqual(all.slice(-64).map(({ hash }) => hash))
      for (const height of [0, 5, 6, 69]) {
        expect(decodeCertifiedRoster((await store.certificate(height))!).hash).toEqual(all[height]!.hash)
      }
      expect(await store.certificate(70)).toBeUndefined()
    }
    expect(await again.add(nextTestRoster(all.at(-1)!))).toBe(true)
  })

  it('the store gives no certificate of an overtaken branch by its height', async () => {
    const manifest = testManifest({ shards: 1, periodEpochs: 2, reserveEpochs: 1 })
    const first = foundRoster(manifest, testTrees(manifest))
    const one = nextTestRoster(first)
    const two = nextTestRoster(first, { firstEpoch: one.roster.firstEpoch + 4 })
    const records = await fileRecords(await stage.dir())
    const rosters = await openRosterStore(manifest, records)
    let overtaken = 0
    rosters.onOvertaken(() => overtaken++)
    for (const roster of [first, one, nextTestRoster(one)]) await rosters.add(roster)
    await rosters.add(two)
    expect(decodeCertifiedRoster((await rosters.certificate(1))!).hash).toEqual(two.hash)
    expect(await rosters.certificate(2)).toBeUndefined()
    expect(rosters.named(hashToRosterName(one.hash))).toBe(one)
    expect(overtaken).toBe(0)
    // A certificate that comes when a later roster stands is noted, because its roster may be pinned.
    const late = await openRosterStore(manifest, await fileRecords(await stage.dir()))
    late.onOvertaken(() => overtaken++)
    for (const roster of [first, two, one, one]) await late.add(roster)
    expect([overtaken, late.overtaken]).toEqual([1, [one]])
  })

  it('the store uses a roster only once it is on disk, and takes it when it is offered again', async () => {
    const players = await cast(5, NOW)
    const records = await fileRecords(await stage.dir())
    let isFull = true
    const put: typeof records.put = async (...entry) => {
      if (isFull) throw new Error('no space left on device')
      await records.put(...entry)
    }
    const rosters = await openRosterStore(players.manifest, { ...records, put })
    const added: CertifiedRoster[] = []
    rosters.onAdd((certified) => added.push(certified))
    const one = certifyFounding(players)
    await expect(rosters.add(one)).rejects.toThrow('no space left')
    expect([rosters.newest, rosters.nextHeight, added.length]).toEqual([undefined, 0, 0])
    isFull = false
    expect(await rosters.add(one)).toBe(true)
    expect(added).toEqual([one])
  })

  it('the store refuses a roster with too few votes, a repeated vote, a forged vote, or of another manifest', async () => {
    const players = await cast(5, NOW)
    const rosters = await openRosterStore(players.manifest, await fileRecords(await stage.dir()))
    const good = certifyFounding(players)
    const need = quorum(6)
    expect(await errorCode(rosters.add({ ...good, votes: good.votes.slice(0, need - 1) }))).toBe('ROSTER_INVALID')
    const twice = Array.from({ length: need }, () => good.votes[0]!)
    expect(await errorCode(rosters.add({ ...good, votes: twice }))).toBe('ROSTER_INVALID')
    const forged = good.votes.map((vote, i) => (i === 0 ? { ...vote, signature: systemRandom(64) } : vote))
    expect(await errorCode(rosters.add({ ...good, votes: forged }))).toBe('ROSTER_INVALID')
    const others = await cast(5, NOW)
    expect(await errorCode(rosters.add(certifyFounding(others)))).toBe('ROSTER_INVALID')
    expect(rosters.newest).toBeUndefined()
    expect(await rosters.add({ ...good, votes: good.votes.slice(0, need) })).toBe(true)
  })
})
