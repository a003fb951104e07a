import { describe, expect, it } from 'vitest'
import { HOUR, NOW, saltStatus, sampleStatus, sampleView } from './samples.ts'

describe('the health of a salt node', () => {
  it('a healthy node has the health "serving" and no hints', () => {
    expect(sampleStatus()).toMatchObject({
      health: 'serving',
      hints: [],
      votes: true,
      core: { pinned: true },
      uptimeMs: HOUR,
    })
  })

  it('each fault of a node has its own word, and only a node without a fault is "serving"', () => {
    const roster = saltStatus().roster!
    expect(sampleStatus({ state: 'joining' }).health).toBe('joining')
    expect(sampleStatus({ state: 'leaving' }).health).toBe('leaving')
    expect(sampleStatus({ clockOffsetMs: -30_001 }).health).toBe('clock-skewed')
    expect(sampleStatus({ clockOffsetMs: 30_000 }).health).toBe('serving')
    expect(sampleStatus({ state: 'seeds-missing' }).health).toBe('seeds-missing')
    expect(sampleStatus({ state: 'seeds-missing', clockOffsetMs: -30_001 }).health).toBe('clock-skewed')
    expect(sampleStatus({ roster: { ...roster, reserveUntilMs: NOW } }).health).toBe('roster-ended')
    expect(sampleStatus({}, { diskFreeBytes: 1 << 20 }).health).toBe('disk-full')
    const strayed = ['ash', 'birch', 'cedar', 'elm', 'fir']
    expect(sampleStatus({ state: 'joining' }, { strayed }).health).toBe('strayed')
    expect(sampleStatus({}, { strayed: ['ash'] }).health).toBe('serving')
  })

  it('a node whose operator no roster names does not vote, and neither does a node that abstains', () => {
    expect(sampleStatus({}, { abstainsUntilMs: NOW + 1 }).votes).toBe(false)
    expect(sampleStatus({}, { view: sampleView({ votes: false }) }).votes).toBe(false)
  })
})
