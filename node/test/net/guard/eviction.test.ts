import { describe, expect, it } from 'vitest'
import { chooseEviction, type Occupant } from '../../../src/net/guard/eviction.ts'

interface Named extends Occupant {
  readonly name: string
}
/** A busy connection unless `isIdle`; `a1` has the prefix and the fence `a`. */
const occupant = (name: string, lastUseMs: number, isIdle = false): Named => {
  const prefix = name[0]!
  return { name, lastUseMs, isIdle, prefix, fence: prefix }
}
const newcomer = (prefix: string) => ({ prefix, fence: prefix })

describe('the choice of a connection to close', () => {
  it('a full host closes the longest idle connection of any prefix', () => {
    const all = [occupant('a1', 30, true), occupant('b1', 10, true), occupant('c1', 5)]
    expect(chooseEviction(all, newcomer('d'), true)?.name).toBe('b1')
  })

  it('a full prefix loses an idle connection of its own and no other', () => {
    const all = [occupant('a1', 30, true), occupant('b1', 10, true)]
    expect(chooseEviction(all, newcomer('a'), false)?.name).toBe('a1')
    expect(chooseEviction(all, newcomer('c'), false)).toBeUndefined()
  })

  it('a full host without idle connections closes the least recently used one of the largest fence', () => {
    const all = [occupant('a1', 1), occupant('b1', 9), occupant('b2', 7), occupant('b3', 8)]
    expect(chooseEviction(all, newcomer('c'), true)?.name).toBe('b2')
  })

  it('a fence loses a busy connection only when it has two more than the newcomer', () => {
    const all = [occupant('a1', 1), occupant('b1', 2), occupant('b2', 3), occupant('c1', 4)]
    expect(chooseEviction(all, newcomer('d'), true)?.name).toBe('b1')
    expect(chooseEviction(all, newcomer('c'), true)).toBeUndefined()
    expect(chooseEviction([occupant('a1', 1)], newcomer('c'), true)).toBeUndefined()
  })

  it('a full prefix loses no busy connection', () => {
    const all = [occupant('b1', 2), occupant('b2', 3), occupant('b3', 4)]
    expect(chooseEviction(all, newcomer('b'), false)).toBeUndefined()
  })

  it('a host without connections closes none', () => {
    expect(chooseEviction([], newcomer('a'), true)).toBeUndefined()
  })
})
