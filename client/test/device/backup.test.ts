import { describe, expect, it } from 'vitest'
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
})
