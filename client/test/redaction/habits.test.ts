import { latLngToCell } from 'h3-js'
import { describe, expect, it } from 'vitest'
import { Habits, type Stay, stayToVote } from '../../src/redaction/habits.ts'
import { memoryStorage } from '../../src/storage/memory-storage.ts'
import { keysOf } from '../fixture.ts'

const HOME = latLngToCell(52.531, 13.39, 10)
const ELSEWHERE = latLngToCell(52.6, 13.39, 10)
const BLOCKS_PER_DAY = 288
const FIVE_MINUTES = 300_000

/** A stay in the given block of a UTC day, in its night if the block lies between 01:00 and 05:00. */
function stay(day: number, block: number, cell = HOME, accuracyM = 6): Stay {
  const isNight = block >= 12 && block < 60
  return { block: day * BLOCKS_PER_DAY + block, cell, accuracyM, day, night: isNight ? day : undefined }
}

describe('a vote for the cell of a night', () => {
  it('a stay votes at night only, and only when it is more accurate than the vote of its block', () => {
    const vote = { night: 20_000, cell: HOME, accuracyM: 6 }
    expect(stayToVote(stay(20_000, 12), undefined)).toEqual(vote)
    expect(stayToVote(stay(20_000, 12), { ...vote, accuracyM: 7 })).toEqual(vote)
    expect(stayToVote(stay(20_000, 12), vote)).toBeUndefined()
    expect(stayToVote(stay(20_000, 11), undefined)).toBeUndefined()
  })
})

describe('habits', () => {
  it('an hour of fixes gives the cell of a night, and a reopened storage gives the same cells', async () => {
    const storage = memoryStorage()
    const habits = await Habits.open(storage)
    for (let i = 12; i < 24; i++) {
      expect(habits.stays.nights.size).toBe(0)
      await storage.batch([...habits.learn(stay(20_000, i))!.operations])
    }
    expect([...habits.stays.nights]).toEqual([[20_000, HOME]])
    expect((await Habits.open(storage)).stays).toEqual(habits.stays)
    // The same block again teaches nothing.
    expect(habits.learn(stay(20_000, 23))).toBeUndefined()
  })

  it('an unlearnt stay leaves no trace', async () => {
    const habits = await Habits.open(memoryStorage())
    for (let i = 12; i < 23; i++) habits.learn(stay(20_000, i))
    const lesson = habits.learn(stay(20_000, 23))!
    expect(lesson.operations.map(({ key }) => key.split('/')[0])).toEqual(['day', 'night', 'meta'])
    expect(habits.stays.nights.size).toBe(1)
    lesson.unlearn()
    expect(habits.stays).toEqual({ nights: new Map(), days: new Map() })
    // The unlearnt cell is unknown again, so the same stay gives the same operations.
    const other = habits.learn(stay(20_000, 23))!
    expect(other.operations).toEqual(lesson.operations)
  })

  it('home is known after a night and 24 hours from the end of the first block', async () => {
    const habits = await Habits.open(memoryStorage())
    for (let i = 0; i < 24; i++) habits.learn(stay(20_000, i))
    const knownMs = (20_000 * BLOCKS_PER_DAY + 1 + BLOCKS_PER_DAY) * FIVE_MINUTES
    expect(habits.isHomeKnown(knownMs - 1)).toBe(false)
    expect(habits.isHomeKnown(knownMs)).toBe(true)
  })

  it('nights, days and cells older than 28 days are forgotten', async () => {
    const storage = memoryStorage()
    const habits = await Habits.open(storage)
    for (const [day, cell] of [
      [20_000, ELSEWHERE],
      [20_030, HOME],
    ] as const) {
      for (let i = 12; i < 24; i++) await storage.batch([...habits.learn(stay(day, i, cell))!.operations])
    }
    expect(habits.forgetBefore(20_020 * BLOCKS_PER_DAY * FIVE_MINUTES)).toEqual([])
    await storage.batch(habits.forgetBefore(20_031 * BLOCKS_PER_DAY * FIVE_MINUTES))
    expect([...habits.stays.nights]).toEqual([[20_030, HOME]])
    expect((await keysOf(storage)).filter((key) => key.startsWith('day/'))).toHaveLength(1)
    expect((await keysOf(storage)).filter((key) => key.startsWith('night/'))).toHaveLength(12)
    expect(JSON.parse(new TextDecoder().decode(await storage.get('meta/cells')))).toEqual([HOME])
  })
})
