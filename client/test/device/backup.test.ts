import { describe, expect, it } from 'vitest'
import { exportBackup } from '../../src/device/backup.ts'
import { memoryStorage } from '../../src/storage/memory-storage.ts'
import { put } from '../../src/storage/storage.ts'
import { fakeFederation, life, openTracer, START_MS } from '../../src/testing/fake-federation.ts'
import { CAFE, diaryOf, MINUTE, recordAll } from '../fixture.ts'

const fix = { ...CAFE, accuracyM: 5, at: START_MS - 2 * MINUTE }

describe('a backup', () => {
  it('a new phone continues with the diary and the user of the old one', async () => {
    const federation = await fakeFederation()
    const old = await openTracer(federation)
    await recordAll(old, life(CAFE, START_MS, 60))
    await old.sync()
    await old.record({ ...fix, at: START_MS + 1 })
    const file = await old.export('correct horse')
    const phone = await openTracer(federation, { random: (n) => crypto.getRandomValues(new Uint8Array(n)) })
    await phone.import(file, 'correct horse')
    expect(await diaryOf(phone)).toHaveLength(13)
    await federation.clock.advanceTo(START_MS + 5 * MINUTE)
    expect((await phone.sync()).fixesHashed).toBe(1)
    expect(federation.central.users.size).toBe(1)
    expect(Buffer.from(file).includes(Buffer.from('52.52'))).toBe(false)
  })

  it('an import with a wrong passphrase, a damaged or a foreign file is refused and changes nothing', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await tracer.record(fix)
    const file = await tracer.export('correct horse')
    const invalid = expect.objectContaining({ code: 'IMPORT_INVALID' })
    await expect(tracer.import(file, 'wrong horse')).rejects.toEqual(invalid)
    for (const at of [0, 10, 21, 30, file.length - 1]) {
      const damaged = file.slice()
      damaged[at]! ^= 1
      await expect(tracer.import(damaged, 'correct horse')).rejects.toEqual(invalid)
    }
    await expect(tracer.import(new Uint8Array(3), 'correct horse')).rejects.toEqual(invalid)
    const other = await openTracer(await fakeFederation({ retentionDays: 7 }))
    await expect(other.import(file, 'correct horse')).rejects.toEqual(invalid)
    await expect(tracer.export('short')).rejects.toThrow(RangeError)
    expect(await diaryOf(tracer)).toHaveLength(1)
  })

  it('an import restores a person’s data and never rosters, a batch on its way, a digest or the time', async () => {
    const federation = await fakeFederation()
    const disk = memoryStorage()
    const tracer = await openTracer(federation, { storage: disk })
    await recordAll(tracer, life(CAFE, START_MS, 30))
    await tracer.sync()
    await tracer.zones.add({ ...CAFE, radiusM: 100 }).catch(() => undefined)
    const foreign = ['roster/00000000', 'roster/00000007', 'roster/fork', 'frozen', 'meta/frozen-kind', 'meta/code']
    const decided = ['meta/manifest', 'meta/proof', 'meta/openings', 'unknown/1']
    await disk.batch([...foreign, ...decided].map((key) => put(key, Uint8Array.of(66))))
    const random = (n: number) => crypto.getRandomValues(new Uint8Array(n))
    const file = await exportBackup(disk, 'correct horse', random)
    const victim = memoryStorage()
    const phone = await openTracer(federation, { storage: victim, random })
    await phone.sync()
    const before = new Map<string, Uint8Array>()
    for await (const [key, value] of victim.range('')) before.set(key, value)
    await phone.import(file, 'correct horse')
    for await (const [key, value] of victim.range('')) {
      expect(value, key).not.toEqual(Uint8Array.of(66))
      if (key.startsWith('roster/') || decided.includes(key)) expect(value, key).toEqual(before.get(key))
    }
    expect([...before.keys()].filter((key) => key.startsWith('roster/')).length).toBe(1)
    expect(await diaryOf(phone)).toHaveLength(6)
    expect(await phone.sync()).toMatchObject({ fixesLost: 0, rowsRefused: 0 })
    expect(federation.central.rowsTwice).toBe(0)
  })
})
