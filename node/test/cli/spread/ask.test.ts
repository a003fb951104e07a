/** `geotrace spread` against peers in memory that hand out real rosters and signed counts. */
import { toSpreadView } from '@geotrace/core-wasm/spread'
import { foundRoster, testManifest, testSpread, testTrees } from '@geotrace/core-wasm/testing'
import {
  certifiedToStep,
  DAY_MS,
  decodeRosterRequest,
  EPOCH_MS,
  encodeNewsReply,
  encodeRosterReply,
  encodeRosterStep,
  encodeSpread,
  FederationError,
  type Manifest,
  manifestToId,
  type Spread,
} from '@geotrace/core-wasm/wire'
import { cellToBoundary, cellToLatLng } from 'h3-js'
import { describe, expect, it } from 'vitest'
import { askSpreads } from '../../../src/cli/spread/ask.ts'
import { cellToPlace, cellToRing } from '../../../src/cli/spread/geometry.ts'
import { missingLine, parameterLines, runningLine, viewLines } from '../../../src/cli/spread/text.ts'
import { toPeers } from '../../../src/cli/verify/chain.ts'

const DAY = 20_790
const NOW_MS = (DAY + 3) * DAY_MS
const spread = { areas: [7], resolution: 6, periodDays: 2, minimum: 100, epsilon: 1_000 }
const long = { shards: 1, periodEpochs: 90, reserveEpochs: 9 }
const manifest = testManifest({ spread, ...long }, (DAY - 1) * DAY_MS - EPOCH_MS)
const certified = foundRoster(manifest, testTrees(manifest))
const federation = manifestToId(manifest)
const counts = Array.from({ length: 50 }, (_, i) => (i === 9 ? 60 : i === 20 ? 12 : i === 30 ? -4 : i === 0 ? 90 : 2))
const published = testSpread(certified, federation, DAY, counts)

/** A network in which every peer knows the founding roster and these spreads; `away` peers do not answer. */
function network(spreads: readonly Spread[], of: Manifest = manifest, away: readonly string[] = []) {
  const roster = of === manifest ? certified : foundRoster(of, testTrees(of))
  const requests: string[] = []
  return {
    requests,
    async request(peer: unknown, _protocol: unknown, frame: Uint8Array): Promise<Uint8Array> {
      const { name } = peer as { name?: string }
      if (name !== undefined && away.includes(name))
        throw new FederationError('PEER_UNREACHABLE', 'the peer is away', { tried: 1 })
      const asked = decodeRosterRequest(frame)
      requests.push(asked.op)
      if (asked.op === 'news') {
        const step = asked.height === 0 ? encodeRosterStep(certifiedToStep(roster)) : undefined
        return encodeNewsReply({ pins: [], step })
      }
      const period = asked.op === 'spread' ? asked.period : -1
      const found = spreads.find((item) => item.period === period)
      return encodeRosterReply(found && encodeSpread(found))
    },
  }
}

const context = { nowMs: NOW_MS, period: undefined, out: { progress() {} } }
const ask = (host: ReturnType<typeof network>, of = manifest, names: string[] = ['ash', 'birch']) =>
  askSpreads(host, of, toPeers(of, names), context)

describe('asking for published counts', () => {
  it('the rosters are replayed from the founding, and counts of the drawn teller are found', async () => {
    const { found, missing, running, faults, parameters } = await ask(network([published]))
    expect(found.map((item) => item.spread)).toEqual([published])
    expect(missing).toEqual([])
    expect(faults).toEqual([])
    expect(running?.period).toBe(DAY + 2)
    expect(parameters).toEqual(spread)
  })

  it('a peer that is away is replaced by the next one, and without any the command says what each of them lacks', async () => {
    expect((await ask(network([published], manifest, ['ash']))).found).toHaveLength(1)
    await expect(ask(network([published], manifest, ['ash', 'birch']))).rejects.toMatchObject({
      code: 'PEER_UNREACHABLE',
      message: expect.stringContaining('birch: the peer is away'),
    })
  })

  it('forged counts are a fault, and a period without counts is named', async () => {
    const forged = { ...published, counts: published.counts.map((count) => count + 1) }
    const { found, missing, faults } = await ask(network([forged]))
    expect(found).toEqual([])
    expect(missing.map(({ period }) => period)).toEqual([DAY])
    expect(new Set(faults)).toEqual(new Set(["the counts of a peer were refused: the teller's signature fails"]))
  })

  it('a federation without a spread differs from one without counts', async () => {
    const plain = testManifest(long, (DAY - 1) * DAY_MS - EPOCH_MS)
    const none = await ask(network([], plain), plain)
    expect(none).toMatchObject({ found: [], missing: [], parameters: undefined, running: undefined })
    expect(await ask(network([]))).toMatchObject({ found: [], parameters: spread })
  })
})

describe('the lines of a spread', () => {
  const viewOf = async () => {
    const { found } = await ask(network([published]))
    return toSpreadView(found[0]!, cellToPlace, NOW_MS)
  }

  it('cells come with ±, the threshold, their cluster and how they were counted, the highest first', async () => {
    const lines = viewLines(await viewOf(), 20)
    const text = lines.join('\n')
    expect(lines[0]).toBe('Where reporters have been, 2026-12-03 to 2026-12-05 UTC (period 20790)')
    expect(lines[1]).toBe('49 cells of resolution 6 counted, 2 shown with 72 people in 1 cluster.')
    expect(text).toContain('A count is off by ±1.9 (standard deviation). A cell that is not shown has no more than 6.')
    expect(text).toContain('Elsewhere, or without a place: 90 ±1.9.')
    expect(text.indexOf('60 ±1.9')).toBeGreaterThan(0)
    expect(text.indexOf('12 ±1.9')).toBeGreaterThan(text.indexOf('60 ±1.9'))
    expect(text).toContain('0        72 ±2.7  2      ')
    expect(text).toMatch(/\((mixer)\) added noise and shuffled/)
    expect(text).toContain('ε = 1 for each of the two noises. Fewer than 100 contributions are not counted.')
  })

  it('with more cells than asked for, the lines name the way to all of them', async () => {
    const lines = viewLines(await viewOf(), 1)
    expect(lines.filter((line) => line.includes('±1.9') && /^8[0-9a-f]{14}/.test(line))).toHaveLength(1)
    expect(lines.join('\n')).toContain('… and 1 more cell: --cells 2, or geotrace spread export')
  })

  it('a map of nothing has no table, and says what its cells have at most', async () => {
    const nothing = testSpread(certified, federation, DAY, new Array<number>(50).fill(1))
    const { found } = await ask(network([nothing]))
    const text = viewLines(toSpreadView(found[0]!, cellToPlace, NOW_MS), 20).join('\n')
    expect(text).toContain('49 cells of resolution 6 counted, 0 shown with 0 people in 0 clusters.')
    expect(text).toContain('Elsewhere, or without a place: no more than 6.')
    expect(text).not.toContain('middle')
  })

  it('periods without counts and the period under way are named with their days and roles', async () => {
    const { missing, running } = await ask(network([]))
    expect(missingLine(missing[0]!)).toBe(
      '2026-12-03 to 2026-12-05 UTC: no counts. Fewer than 100 took part, or the count is not finished.',
    )
    expect(runningLine(running!)).toMatch(/^Under way: 2026-12-05 to 2026-12-07 UTC, mixer \w+, teller \w+\./)
  })

  it('the status names the people that each resolution needs, four for each cell', () => {
    const lines = parameterLines({ ...spread, resolution: 8 }).join('\n')
    expect(lines).toContain('1 area, 2 401 cells of resolution 8, 2 days a period, ε = 1.')
    for (const row of [/8 +2 401 +9 604 +10/, /7 +343 +1 372 +8/, /6 +49 +196 +6/, /5 +7 +28 +4/])
      expect(lines).toMatch(row)
  })
})

describe('the geometry of a cell', () => {
  it('the middle and the ring are those of h3-js, as longitude and latitude', () => {
    const cell = '861f8d7afffffff'
    const [lat, lng] = cellToLatLng(cell)
    expect(cellToPlace(cell)).toEqual({ lat, lng })
    expect([...cellToRing(cell), cellToRing(cell)[0]!]).toEqual(cellToBoundary(cell, true))
  })
})
