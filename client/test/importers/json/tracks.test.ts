/** The objects follow the JSON that OwnTracks documents and the geolocation API of browsers. No real files were at hand. */
import { describe, expect, it } from 'vitest'
import { AT as at, expectRefusal, fixesOf, receiptOf, TIME } from '../reading.ts'

describe('positions in JSON', () => {
  const fix = { lat: 48.1, lng: 11.5, accuracyM: 7, at }
  const ownTracks = { _type: 'location', lat: 48.1, lon: 11.5, tst: at / 1000, acc: 7, vac: 90 }

  it('a position of OwnTracks is read alone, in a list and as one object a line', async () => {
    const text = JSON.stringify(ownTracks)
    expect(await fixesOf('a.json', text)).toEqual([fix])
    expect(await fixesOf('a.json', `[${text}]`)).toEqual([fix])
    expect(await fixesOf('a.json', `${text}\n${text},\n${text}`)).toEqual([fix, fix, fix])
  })

  it('a position of the geolocation API is read with its nested coordinates', async () => {
    const coords = { latitude: 48.1, longitude: 11.5, accuracy: 7, altitudeAccuracy: 99 }
    expect(await fixesOf('a.json', JSON.stringify([{ coords, timestamp: TIME }]))).toEqual([fix])
  })

  it('entries of other kinds are counted, and a value without any entry is refused', async () => {
    const list = [ownTracks, { _type: 'lwt', tst: 1 }, 7]
    expect((await receiptOf('a.json', JSON.stringify(list))).leftOut).toEqual({ 'no-fix': 1, malformed: 1 })
    await expectRefusal('a.json', '{"__proto__": {"lat": 1}, "a": {"b": 1}}', 0, /neither GeoJSON/)
  })

  it('deep nesting ends in a refusal', async () => {
    await expectRefusal('a.json', '['.repeat(200_000), 0, /cut off|not JSON/)
  })
})
