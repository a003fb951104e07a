/** Finding, showing and exporting published spreads. Cells and their corners come from h3-js, which shares no code with the grid. */
import { cellToBoundary, cellToChildPos, cellToLatLng, cellToParent, latLngToCell } from 'h3-js'
import { describe, expect, it } from 'vitest'
import { findSpreads, type RingPoint, spreadsToCsv, spreadsToGeoJson, toSpreadView } from '../../src/spread/index.ts'
import { foundRoster, testManifest, testSpread, testTrees } from '../../src/testing/index.ts'
import {
  DAY_MS,
  decodeRosterRequest,
  encodeRosterReply,
  encodeSpread,
  FederationError,
  manifestToId,
  type Spread,
} from '../../src/wire/index.ts'

const DAY = 20_790
const END_MS = (DAY + 2) * DAY_MS
const BUCKETS = 343
/** Region 7 of PROTOCOL.md §3.3. */
const spread = { areas: [7], resolution: 7, periodDays: 2, minimum: 100, epsilon: 1_000 }
const manifest = testManifest({ spread, shards: 1 }, (DAY - 4) * DAY_MS)
const certified = foundRoster(manifest, testTrees(manifest))
const federation = manifestToId(manifest)
const inForce = () => certified

/** Counts in which every bucket without a value has none. */
function countsOf(values: Readonly<Record<number, number>>): number[] {
  return Array.from({ length: 1 + BUCKETS }, (_, i) => values[i] ?? 0)
}

const published = (period: number, counts = countsOf({ 5: 40 })) => testSpread(certified, federation, period, counts)

/** A peer that publishes these spreads, and notes the periods that it was asked about. */
function peerWith(spreads: readonly Spread[], asked: number[] = []) {
  return async (frame: Uint8Array): Promise<Uint8Array> => {
    const request = decodeRosterRequest(frame)
    if (request.op !== 'spread') throw new Error(`the peer expected SPREAD, got ${request.op}`)
    asked.push(request.period)
    const found = spreads.find(({ period }) => period === request.period)
    return encodeRosterReply(found && encodeSpread(found))
  }
}

const find = (peers: ((frame: Uint8Array) => Promise<Uint8Array>)[], nowMs = END_MS) =>
  findSpreads({ inForce, federation, nowMs, peers })

const toPlace = (cell: string) => {
  const [lat, lng] = cellToLatLng(cell)
  return { lat, lng }
}
const toRing = (cell: string) => cellToBoundary(cell).map(([lat, lng]): RingPoint => [lng, lat])

describe('finding published spreads', () => {
  it('the four newest spreads of the last 14 days are found, and periods without counts are named', async () => {
    const spreads = [0, -2, -6, -8, -10].map((days) => published(DAY + days))
    const asked: number[] = []
    const { found, missing, faults } = await find([peerWith(spreads, asked)])
    expect(found.map(({ period }) => period)).toEqual([DAY, DAY - 2, DAY - 6, DAY - 8])
    expect(missing.map(({ period }) => period)).toEqual([DAY - 4])
    expect(faults).toEqual([])
    expect(asked).toEqual([DAY, DAY - 2, DAY - 4, DAY - 6, DAY - 8])
  })

  it('a period under way is not asked about, and one that ended 14 days ago is not either', async () => {
    const asked: number[] = []
    const { running, missing } = await find([peerWith([], asked)], END_MS - 1)
    expect(running?.period).toBe(DAY)
    expect(missing.map(({ period }) => period)).toEqual(asked)
    expect(asked).toEqual([2, 4, 6, 8, 10, 12, 14].map((days) => DAY - days))
  })

  it('an answer that is false in any part is refused with its fault, and the next peer is asked', async () => {
    const lies: [string, Spread][] = [
      ['another federation', testSpread(certified, federation, DAY, countsOf({}), { federation: new Uint8Array(32) })],
      ['the roster that rules', testSpread(certified, federation, DAY, countsOf({}), { epsilon: 4_000 })],
      ['the roster that rules', testSpread(certified, federation, DAY, countsOf({}), { roster: new Uint8Array(8) })],
      ["the teller's signature", { ...published(DAY), counts: countsOf({ 5: 41 }) }],
    ]
    for (const [fault, lie] of lies) {
      const { found, faults } = await find([peerWith([lie]), peerWith([published(DAY)])])
      expect(found.map((item) => item.spread)).toEqual([published(DAY)])
      expect(faults).toEqual([expect.stringContaining(fault)])
      expect((await find([peerWith([lie])])).found).toEqual([])
    }
    const swapped = await find([async () => encodeRosterReply(encodeSpread(published(DAY - 2))), peerWith([])])
    expect(swapped.faults[0]).toContain('another period')
    const broken = await find([async () => encodeRosterReply(new Uint8Array(40).fill(1)), peerWith([published(DAY)])])
    expect(broken.found).toHaveLength(1)
    expect(broken.faults).toEqual([expect.stringContaining('cannot be read')])
  })

  it('a peer that does not answer is not asked again, and without any answer the search fails', async () => {
    let calls = 0
    const away = async (): Promise<Uint8Array> => {
      calls++
      throw new FederationError('PEER_UNREACHABLE', 'the peer is away', { tried: 1 })
    }
    expect((await find([away, peerWith([published(DAY)])])).found).toHaveLength(1)
    expect(calls).toBe(1)
    await expect(find([away])).rejects.toMatchObject({ code: 'PEER_UNREACHABLE', data: { tried: 1 } })
  })

  it('a federation without a spread has no period to ask about', async () => {
    const plain = testManifest({ shards: 1 }, (DAY - 4) * DAY_MS)
    const roster = foundRoster(plain, testTrees(plain))
    const result = await findSpreads({ inForce: () => roster, federation, nowMs: END_MS, peers: [peerWith([])] })
    expect(result).toEqual({ found: [], missing: [], faults: [], running: undefined })
  })
})

describe('a spread as people see it', () => {
  const view = async (values: Record<number, number>, nowMs = END_MS) => {
    const { found } = await find([peerWith([published(DAY, countsOf(values))])])
    return toSpreadView(found[0]!, toPlace, nowMs)
  }

  it('only counts from the threshold on are shown, with the cells of h3-js, the highest first', async () => {
    const { cells, threshold, counted, elsewhere, deviation } = await view({ 0: 900, 3: 7, 4: 8, 5: 40, 6: -9 })
    expect({ threshold, counted, elsewhere }).toEqual({ threshold: 8, counted: 343, elsewhere: 900 })
    expect(deviation).toBeCloseTo(1.92, 2)
    expect(cells.map(({ count }) => count)).toEqual([40, 8])
    for (const { cell, lat, lng, count } of cells) {
      expect(cellToChildPos(cell, 4)).toBe(count === 40 ? 4 : 3)
      expect(latLngToCell(lat, lng, 7)).toBe(cell)
      expect(cellToParent(cell, 4)).toBe(cellToParent(cells[0]!.cell, 4))
    }
  })

  it('a view names who mixed and counted, and the smallest number of people that is counted', async () => {
    const { mixer, teller, minimum, fromMs, untilMs, resolution, epsilon } = await view({ 5: 40 })
    const names = manifest.members.map(({ operator }) => operator)
    expect(names).toContain(mixer)
    expect(names).toContain(teller)
    expect(mixer).not.toBe(teller)
    expect({ minimum, fromMs, untilMs, resolution, epsilon }).toEqual({
      minimum: 100,
      fromMs: DAY * DAY_MS,
      untilMs: END_MS,
      resolution: 7,
      epsilon: 1_000,
    })
  })

  it('every shown cell belongs to one cluster, and the clusters have all people of the shown cells', async () => {
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [1 + 5 * i, 10 + i]))
    const { cells, clusters } = await view(many)
    expect(clusters.length).toBeGreaterThan(5)
    expect(clusters.reduce((sum, { count }) => sum + count, 0)).toBe(cells.reduce((sum, { count }) => sum + count, 0))
    for (const [i, cluster] of clusters.entries()) {
      const own = cells.filter((cell) => cell.cluster === i)
      expect(own).toHaveLength(cluster.cells)
      expect(own.reduce((sum, { count }) => sum + count, 0)).toBe(cluster.count)
    }
  })

  it('a view fades from the end of its period to nothing 14 days later', async () => {
    const at = async (days: number) => (await view({ 5: 40 }, END_MS + days * DAY_MS)).recency
    expect([await at(-1), await at(0), await at(7), await at(14), await at(20)]).toEqual([1, 1, 0.5, 0, 0])
  })
})

describe('a spread as a file', () => {
  it('GeoJSON has the polygon of h3-js for each shown cell, closed and counterclockwise, with count and deviation', async () => {
    const { found } = await find([peerWith([published(DAY, countsOf({ 5: 40, 9: 12, 10: 3 }))])])
    const views = found.map((item) => toSpreadView(item, toPlace, END_MS))
    const { type, features } = JSON.parse(JSON.stringify(spreadsToGeoJson(views, toRing)))
    expect(type).toBe('FeatureCollection')
    expect(features).toHaveLength(2)
    for (const { geometry, properties } of features) {
      expect(geometry.type).toBe('Polygon')
      const [ring] = geometry.coordinates
      expect(ring).toEqual(cellToBoundary(properties.cell, true))
      const twiceArea = ring
        .slice(1)
        .reduce((sum: number, [x, y]: RingPoint, i: number) => sum + ring[i][0] * y - x * ring[i][1], 0)
      expect(twiceArea).toBeGreaterThan(0)
      expect(properties).toMatchObject({ sd: 1.92, threshold: 8, period: DAY, from: '2026-12-03', until: '2026-12-05' })
    }
    expect(features.map(({ properties }: { properties: { count: number } }) => properties.count)).toEqual([40, 12])
  })

  it('a cell across the 180th meridian becomes two polygons that meet there and have its area', () => {
    const cell = latLngToCell(51.5, 180, 5)
    const ring = cellToBoundary(cell)
    expect(Math.max(...ring.map(([, lng]) => lng)) - Math.min(...ring.map(([, lng]) => lng))).toBeGreaterThan(300)
    const [lat, lng] = cellToLatLng(cell)
    const shown = { cell, lat, lng, count: 9, cluster: 0 }
    const view = { period: DAY, fromMs: 0, untilMs: DAY_MS, deviation: 2, threshold: 8, cells: [shown] }
    const { features } = spreadsToGeoJson([view as never], toRing) as {
      features: [{ geometry: { type: string; coordinates: RingPoint[][][] } }]
    }
    const { type, coordinates } = features[0].geometry
    expect(type).toBe('MultiPolygon')
    expect(coordinates).toHaveLength(2)
    const areaOf = (points: RingPoint[]) =>
      Math.abs(points.slice(1).reduce((sum, [x, y], i) => sum + points[i]![0] * y - x * points[i]![1], 0)) / 2
    const whole = ring.map(([y, x]): RingPoint => [x < 0 ? x + 360 : x, y])
    const area = coordinates.reduce((sum, [part]) => sum + areaOf(part!), 0)
    expect(area).toBeCloseTo(areaOf([...whole, whole[0]!]), 6)
    for (const [part] of coordinates) {
      expect(part!.some(([x]) => Math.abs(x) === 180)).toBe(true)
      expect(part!.every(([x]) => Math.abs(x) <= 180)).toBe(true)
    }
  })

  it('CSV has a line for each shown cell', async () => {
    const { found } = await find([peerWith([published(DAY, countsOf({ 5: 40 }))])])
    const [view] = found.map((item) => toSpreadView(item, toPlace, END_MS))
    const { cell, lat, lng } = view!.cells[0]!
    expect(spreadsToCsv([view!]).split('\r\n')).toEqual([
      'from,until,cell,lat,lng,count,sd,threshold,cluster',
      `2026-12-03,2026-12-05,${cell},${lat.toFixed(5)},${lng.toFixed(5)},40,1.92,8,0`,
      '',
    ])
  })
})
