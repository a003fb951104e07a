import { describe, expect, it } from 'vitest'
import { chooseEviction, type Occupant, type Scope } from '../../../src/net/guard/eviction.ts'

const NOW = 100_000
const TIMES = { nowMs: NOW, idleMs: 30_000, restMs: 2_000, turnMs: 10_000 }

interface Named extends Occupant {
  readonly name: string
}
/** A connection that was used and opened so long ago, in ms; `a1` has the prefix `a`, and the fence `a` unless named. */
const busy = (name: string, usedMs: number, openMs = usedMs, fence = name[0]!): Named => ({
  name,
  isBusy: true,
  lastUseMs: NOW - usedMs,
  openedMs: NOW - openMs,
  prefix: name[0]!,
  fence,
})
const unused = (...item: Parameters<typeof busy>): Named => ({ ...busy(...item), isBusy: false })
const newcomer = (prefix: string, fence = prefix) => ({ prefix, fence })
const evict = (all: readonly Named[], from: ReturnType<typeof newcomer>, scope: Scope): string | undefined =>
  chooseEviction(all, from, scope, TIMES)?.name

describe('the choice of a connection to close', () => {
  it('a full host closes the longest idle connection of any prefix', () => {
    const all = [unused('a1', 30_000), unused('b1', 40_000), busy('c1', 50_000)]
    expect(evict(all, newcomer('d'), 'host')).toBe('b1')
    expect(evict([unused('a1', 29_999)], newcomer('d'), 'host')).toBeUndefined()
  })

  it('a full prefix loses an idle connection of its own and no other', () => {
    const all = [unused('a1', 30_000), unused('b1', 40_000)]
    expect(evict(all, newcomer('a'), 'prefix')).toBe('a1')
    expect(evict(all, newcomer('c'), 'prefix')).toBeUndefined()
  })

  it('a full prefix loses a connection that rests for two seconds, so eight that ask every 29 s lock nobody out', () => {
    const asking = Array.from({ length: 8 }, (_, i) => unused(`a${i}`, 1_999 + i * 3_000, 9_000))
    expect(evict(asking, newcomer('a'), 'prefix')).toBe('a7')
    expect(evict([unused('a1', 2_000)], newcomer('a'), 'prefix')).toBe('a1')
    expect(evict([unused('a1', 1_999)], newcomer('a'), 'prefix')).toBeUndefined()
  })

  it('a full prefix without resting connections loses the one open longest after its turn of ten seconds', () => {
    const all = [busy('a1', 0, 10_001), busy('a2', 500, 10_000), busy('b1', 0, 60_000)]
    expect(evict(all, newcomer('a'), 'prefix')).toBe('a1')
    expect(evict([busy('a1', 0, 10_000)], newcomer('a'), 'prefix')).toBe('a1')
    expect(evict([busy('a1', 0, 9_999)], newcomer('a'), 'prefix')).toBeUndefined()
  })

  it('a full /48 loses a resting connection, or else one of the address that has most, and none of another /48', () => {
    const all = [busy('a1', 9, 9, 'f'), busy('b1', 1, 1, 'f'), busy('b2', 2, 2, 'f'), unused('c1', 60_000, 60_000, 'g')]
    expect(evict(all, newcomer('d', 'f'), 'fence')).toBe('b2')
    expect(evict([...all, unused('a2', 2_000, 2_000, 'f')], newcomer('d', 'f'), 'fence')).toBe('a2')
    expect(evict(all.slice(0, 2), newcomer('d', 'f'), 'fence')).toBeUndefined()
  })

  it('a full host without idle connections closes the least recently used one of the largest fence', () => {
    const all = [busy('a1', 90), busy('b1', 10), busy('b2', 30), busy('b3', 20)]
    expect(evict(all, newcomer('c'), 'host')).toBe('b2')
  })

  it('a fence loses a busy connection only when it has two more than the newcomer', () => {
    const all = [busy('a1', 90), busy('b1', 80), busy('b2', 70), busy('c1', 60)]
    expect(evict(all, newcomer('d'), 'host')).toBe('b1')
    expect(evict(all, newcomer('c'), 'host')).toBeUndefined()
    expect(evict([busy('a1', 90)], newcomer('c'), 'host')).toBeUndefined()
  })

  it('a host without connections closes none', () => {
    for (const scope of ['host', 'fence', 'prefix'] as const) expect(evict([], newcomer('a'), scope)).toBeUndefined()
  })
})
