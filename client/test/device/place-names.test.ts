import { describe, expect, it } from 'vitest'
import { toPlaceName } from '../../src/index.ts'
import { fakeFederation, openTracer } from '../../src/testing/fake-federation.ts'
import { CAFE, lastingStorage } from '../fixture.ts'

/** About 70 m and 140 m north of the café. */
const NEAR = { ...CAFE, lat: CAFE.lat + 0.00063 }
const FAR = { ...CAFE, lat: CAFE.lat + 0.00126 }

describe('the names of places', () => {
  it('a name belongs to the place and to what lies within 100 m, and survives a restart', async () => {
    const federation = await fakeFederation()
    const storage = lastingStorage()
    const tracer = await openTracer(federation, { storage })
    await tracer.placeNames.set(CAFE, ' Café ')
    await tracer.close()
    const names = await (await openTracer(federation, { storage })).placeNames.list()
    expect(names).toEqual([{ ...CAFE, name: 'Café' }])
    expect([CAFE, NEAR, FAR].map((place) => toPlaceName(names, place))).toEqual(['Café', 'Café', undefined])
  })

  it('a new name replaces the one within reach, the nearest name wins, and a blank name removes', async () => {
    const tracer = await openTracer(await fakeFederation())
    await tracer.placeNames.set(CAFE, 'Work')
    await tracer.placeNames.set(NEAR, 'Office')
    expect(await tracer.placeNames.list()).toEqual([{ ...NEAR, name: 'Office' }])
    await tracer.placeNames.set({ ...CAFE, lat: CAFE.lat - 0.0005 }, 'Bakery')
    const names = await tracer.placeNames.list()
    expect(toPlaceName(names, CAFE)).toBe('Bakery')
    await tracer.placeNames.set(NEAR, '  ')
    expect((await tracer.placeNames.list()).map(({ name }) => name)).toEqual(['Bakery'])
  })

  it('a long name and a place that is none are refused without the position in the message', async () => {
    const tracer = await openTracer(await fakeFederation())
    await expect(tracer.placeNames.set(CAFE, 'x'.repeat(61))).rejects.toThrow(/at most 60 characters, got 61/)
    await expect(tracer.placeNames.set({ lat: 123.456, lng: 0 }, 'x')).rejects.toThrow(/^((?!123).)*$/)
  })

  it('an erasure takes the names', async () => {
    const tracer = await openTracer(await fakeFederation())
    await tracer.placeNames.set(CAFE, 'Work')
    await tracer.eraseAll()
    expect(await tracer.placeNames.list()).toEqual([])
  })
})
