import { gridDisk, latLngToCell } from 'h3-js'
import { describe, expect, it } from 'vitest'
import {
  cellsToHomes,
  cellsToKnownCells,
  homeToZone,
  timeToEvening,
  timeToNight,
  votesToNights,
} from '../../src/redaction/home.ts'
import { seededBytes } from '../../src/testing/fake-federation.ts'
import { HOUR } from '../fixture.ts'

const HOME = { lat: 52.531, lng: 13.39 }

describe('home', () => {
  it('a night lasts from 01:00 to 05:00 local time, and its evening begins at 22:00', () => {
    const night = 20_413
    const midnight = night * 24 * HOUR
    expect(timeToNight(midnight + HOUR - 1, 0)).toBeUndefined()
    expect(timeToNight(midnight + HOUR, 0)).toBe(night)
    expect(timeToNight(midnight + 5 * HOUR - 1, 0)).toBe(night)
    expect(timeToNight(midnight + 5 * HOUR, 0)).toBeUndefined()
    expect(timeToNight(midnight - HOUR, 120)).toBe(night)
    expect(timeToEvening(midnight - 2 * HOUR - 1, 0)).toBeUndefined()
    expect(timeToEvening(midnight - 2 * HOUR, 0)).toEqual({ night, endsAt: midnight + 5 * HOUR })
    expect(timeToEvening(midnight + 4 * HOUR, 0)).toEqual({ night, endsAt: midnight + 5 * HOUR })
    expect(timeToEvening(midnight - 4 * HOUR, 120)).toEqual({ night, endsAt: midnight + 3 * HOUR })
  })

  it('a night needs an hour of fixes, and a home needs three nights once three are known', () => {
    const cell = (i: number) => latLngToCell(HOME.lat + i * 0.05, HOME.lng, 10)
    const votes = (night: number, i: number, count: number) =>
      Array.from({ length: count }, () => ({ night, cell: cell(i) }))
    expect(votesToNights(votes(1, 0, 11)).size).toBe(0)
    expect([...votesToNights(votes(1, 0, 12))]).toEqual([[1, cell(0)]])
    const nights = votesToNights([...votes(1, 0, 12), ...votes(2, 1, 12)])
    expect(cellsToHomes(nights, 2).sort()).toEqual([cell(0), cell(1)].sort())
    const more = votesToNights([...votes(1, 0, 12), ...votes(2, 1, 20), ...votes(3, 0, 12), ...votes(4, 0, 48)])
    expect(cellsToHomes(more, 4)).toEqual([cell(0)])
    expect(cellsToHomes(more, 17)).toEqual([cell(0)])
    expect(cellsToHomes(more, 18)).toEqual([])
  })

  it('nights in neighbouring cells count for one cell, and so for one zone', () => {
    const first = latLngToCell(HOME.lat, HOME.lng, 10)
    const [, next] = gridDisk(first, 1)
    const nights = new Map([
      [1, first],
      [2, next!],
      [3, first],
      [4, latLngToCell(HOME.lat + 0.05, HOME.lng, 10)],
    ])
    const { cells, known } = cellsToKnownCells(nights, [])
    expect([...cells.values()].slice(0, 3)).toEqual([first, first, first])
    expect(known.length).toBe(2)
    expect(cellsToHomes(cells, 4)).toEqual([first])
  })

  it('a device has one zone for a home, with home inside it and its middle elsewhere', () => {
    const home = latLngToCell(HOME.lat, HOME.lng, 10)
    let displaced = 0
    for (let i = 0; i < 40; i++) {
      const secret = seededBytes(`device ${i}`)(32)
      const zone = homeToZone(home, secret, 3)
      expect(homeToZone(home, secret, 3)).toEqual(zone)
      expect(zone.length).toBeGreaterThan(90)
      expect(zone.length).toBeLessThan(130)
      expect(zone).toContain(home)
      if (zone[0] !== home) displaced++
    }
    expect(displaced).toBeGreaterThan(30)
  })
})
