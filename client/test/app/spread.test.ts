/// <reference types="vite/client" />
import { cellToBoundary, cellToLatLng, gridDisk, latLngToCell } from 'h3-js'
import { describe, expect, it, vi } from 'vitest'
import type { Pen, Scene } from '../../app/src/map/scene.ts'
import { spreadPainter } from '../../app/src/spread/painter.ts'
import { toneRanges, toTone } from '../../app/src/spread/tones.ts'
import type { SpreadOverview } from '../../src/index.ts'

type Period = SpreadOverview['periods'][number]

const MIDDLE = latLngToCell(52.52, 13.405, 7)
const cellsOf = (rings: number, count: (i: number) => number) =>
  gridDisk(MIDDLE, rings).map((cell, i) => {
    const [lat, lng] = cellToLatLng(cell)
    return { cell, lat, lng, count: count(i), cluster: 0 }
  })
const period = (change: Partial<Period> = {}): Period => ({
  ...{ period: 1, fromMs: 0, untilMs: 1, resolution: 7, counted: 343, epsilon: 1_000, minimum: 20 },
  ...{ mixer: 'ash', teller: 'birch', deviation: 1.92, threshold: 8, elsewhere: 0, recency: 1 },
  cells: cellsOf(1, (i) => 80 - i),
  clusters: [
    { lat: 52.52, lng: 13.405, count: 400, cells: 7 },
    { lat: 52.8, lng: 13.9, count: 100, cells: 7 },
  ],
  ...change,
})

/** A pen that notes what is drawn, on a map of 800 × 600 px around the middle. */
function drawn(periods: readonly Period[], metresPerPixel: number) {
  const fills: { alpha: number; tone: string; kind: string }[] = []
  const radii: number[] = []
  const texts: string[] = []
  const rings: number[][][] = []
  let kind = ''
  const context = {
    canvas: {},
    globalAlpha: 1,
    fillStyle: '',
    beginPath() {},
    arc(_x: number, _y: number, radius: number) {
      kind = 'circle'
      radii.push(radius)
    },
    fill() {
      fills.push({ alpha: context.globalAlpha, tone: context.fillStyle, kind })
    },
  }
  vi.stubGlobal('getComputedStyle', () => ({ getPropertyValue: (name: string) => ` ${name.slice(-1)} ` }))
  const degreePx = 111_195 / metresPerPixel
  const pen = {
    context,
    metresPerPixel,
    projection: ([lng, lat]: [number, number]) => [
      400 + (lng - 13.405) * degreePx * 0.6,
      300 - (lat - 52.52) * degreePx,
    ],
    trace(_context: unknown, ring: number[][]) {
      kind = 'cell'
      rings.push(ring)
    },
    text: (_context: unknown, value: string) => void texts.push(value),
  }
  const scene = { size: { width: 800, height: 600 } }
  spreadPainter(periods, (n) => `${n} people`).paint(scene as Scene, pen as unknown as Pen)
  vi.unstubAllGlobals()
  return { fills, radii, texts, rings }
}

describe('the tones of the spread', () => {
  it('a tone begins at twice the count of the one before, from the threshold on', () => {
    expect([8, 15, 16, 31, 32, 127, 128, 5_000].map((count) => toTone(count, 8))).toEqual([0, 0, 1, 1, 2, 3, 4, 4])
    expect(toneRanges(8).map(({ from }) => from)).toEqual([8, 16, 32, 64, 128])
    for (const [i, { from, until }] of toneRanges(6).entries()) {
      expect(toTone(from, 6)).toBe(i)
      if (until !== undefined) expect([toTone(until - 1, 6), toTone(until, 6)]).toEqual([i, i + 1])
    }
  })
})

describe('the spread on the map', () => {
  it('near by, every shown cell is the hexagon of h3-js in the tone of its count, with its number', () => {
    const { fills, rings, texts } = drawn([period()], 30)
    expect(fills).toHaveLength(7)
    expect(fills.every(({ kind }) => kind === 'cell')).toBe(true)
    expect(fills.map(({ tone }) => tone)).toEqual(period().cells.map(({ count }) => `${toTone(count, 8) + 1}`))
    expect(rings[0]).toEqual(cellToBoundary(MIDDLE).map(([lat, lng]) => [lng, lat]))
    expect(texts).toEqual(period().cells.map(({ count }) => `${count} people`))
  })

  it('far away, groups are circles whose area follows their people, and circles that would touch are one', () => {
    const { fills, radii, texts } = drawn([period(), period()], 300)
    expect(fills.map(({ kind }) => kind)).toEqual(['circle', 'circle'])
    expect(radii[0]! / radii[1]!).toBeCloseTo(2, 5)
    expect(texts).toEqual(['400 people', '100 people'])
    expect(drawn([period()], 3_000).texts).toEqual(['500 people'])
  })

  it('an older period is paler, lies below the newest one and has no numbers', () => {
    const old = period({ recency: 0.25, cells: cellsOf(0, () => 10) })
    const { fills, texts } = drawn([period(), old], 30)
    expect(fills).toHaveLength(8)
    expect(fills[0]!.alpha).toBeCloseTo(fills[1]!.alpha / 4, 5)
    expect(texts).toHaveLength(7)
  })

  it('cells outside the view are not drawn', () => {
    const { rings } = drawn([period({ cells: cellsOf(12, () => 50) })], 10)
    expect(rings.length).toBeGreaterThan(5)
    expect(rings.length).toBeLessThan(60)
  })
})
