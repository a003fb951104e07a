import { describe, expect, it } from 'vitest'
import {
  isPreferred,
  type MakeCase,
  mayBePreferred,
  mayMake,
  maySign,
  mostHeld,
  type Preference,
  type SignCase,
  toSignedRoots,
} from '../../../src/salt/seeds/seed-rule.ts'

const NOBODY = (): boolean => false
const root = (byte: number) => new Uint8Array(32).fill(byte)
const claim = (maker: number, byte: number) => ({ maker, hash: root(byte) })

describe('the choice between two seeds of a part', () => {
  const free: Preference = { signed: undefined, isConvicted: NOBODY }

  it('the lower maker goes first, then the lower hash, and a convicted maker after all others', () => {
    expect(isPreferred(claim(0, 9), claim(1, 1), free)).toBe(true)
    expect(isPreferred(claim(1, 1), claim(0, 9), free)).toBe(false)
    expect(isPreferred(claim(1, 1), claim(1, 2), free)).toBe(true)
    expect(isPreferred(claim(1, 2), claim(1, 2), free)).toBe(false)
    const judged = { ...free, isConvicted: (rank: number): boolean => rank === 0 }
    expect(isPreferred(claim(0, 1), claim(2, 9), judged)).toBe(false)
    expect(isPreferred(claim(2, 9), claim(0, 1), judged)).toBe(true)
    expect(isPreferred(claim(0, 1), claim(0, 2), judged)).toBe(true)
  })

  it('the seed of a signed sheet goes before every other seed, and stays', () => {
    const given = { signed: claim(3, 7), isConvicted: (rank: number): boolean => rank === 3 }
    expect(isPreferred(claim(3, 7), claim(0, 1), given)).toBe(true)
    expect(isPreferred(claim(0, 1), claim(3, 7), given)).toBe(false)
    expect(isPreferred(claim(3, 7), claim(3, 7), given)).toBe(false)
    expect(isPreferred(claim(0, 1), claim(1, 1), given)).toBe(true)
  })

  it('a seed may be preferred exactly when some hash would make it preferred', () => {
    const seed = (maker: number, byte: number) => claim(maker, 16 * maker + byte)
    for (const signed of [undefined, seed(2, 5)]) {
      const given = { signed, isConvicted: (rank: number): boolean => rank === 1 }
      for (const held of [0, 1, 2, 3].flatMap((maker) => [seed(maker, 5), seed(maker, 6)])) {
        for (const maker of [0, 1, 2, 3]) {
          const some = [0, 5, 6, 9].some((byte) => isPreferred(seed(maker, byte), held, given))
          expect(mayBePreferred(maker, held, given)).toBe(some)
        }
      }
    }
  })

  it('a replica outside the part goes by the seed of most members, of several by the preferred one', () => {
    expect(mostHeld([], NOBODY)).toBeUndefined()
    expect(mostHeld([claim(0, 1), claim(2, 5), claim(2, 5)], NOBODY)).toEqual(claim(2, 5))
    expect(mostHeld([claim(2, 5), claim(0, 7), claim(0, 3)], NOBODY)).toEqual(claim(0, 3))
    expect(mostHeld([claim(0, 3), claim(2, 5)], (rank) => rank === 0)).toEqual(claim(2, 5))
  })
})

describe('the maker of a seed', () => {
  const given: MakeCase = {
    members: [1, 3, 4],
    rank: 3,
    replicas: 5,
    answered: [0, 4],
    forMs: 2_000,
    isFounding: false,
    isSecondHalf: false,
    isConvicted: NOBODY,
  }

  it('a member waits two seconds for each member below it that is not convicted', () => {
    expect(mayMake(given)).toBe(true)
    expect(mayMake({ ...given, forMs: 1_999 })).toBe(false)
    expect(mayMake({ ...given, forMs: 0, isConvicted: (rank) => rank === 1 })).toBe(true)
    expect(mayMake({ ...given, rank: 1, forMs: 0 })).toBe(true)
    expect(mayMake({ ...given, rank: 4, forMs: 3_999 })).toBe(false)
    expect(mayMake({ ...given, rank: 4, forMs: 4_000 })).toBe(true)
  })

  it('a member that nobody answers waits half a minute, and at founding without end', () => {
    const alone = { ...given, answered: [] }
    expect(mayMake({ ...alone, forMs: 29_999 })).toBe(false)
    expect(mayMake({ ...alone, forMs: 30_000 })).toBe(true)
    expect(mayMake({ ...alone, forMs: 9e9, isFounding: true })).toBe(false)
    expect(mayMake({ ...given, members: [0], rank: 0, replicas: 1, answered: [], isFounding: true })).toBe(true)
  })

  it('a member makes no seed in the second half of the effort, unless a majority of the replicas answers', () => {
    const late = { ...given, isSecondHalf: true }
    expect(mayMake(late)).toBe(true)
    expect(mayMake({ ...late, answered: [4] })).toBe(false)
    expect(mayMake({ ...late, answered: [4], isFounding: true })).toBe(true)
  })
})

describe('the signature under a sheet', () => {
  const [own, other] = [root(1), root(2)]
  const given: SignCase = {
    root: own,
    stated: [own, own],
    signed: [],
    replicas: 5,
    threshold: 3,
    disputedForMs: 0,
    isLate: false,
  }

  it('a replica signs when a majority states its root and no answer states another or none', () => {
    expect(maySign(given)).toBe(true)
    expect(maySign({ ...given, stated: [own] })).toBe(false)
    expect(maySign({ ...given, stated: [own, own, other] })).toBe(false)
    expect(maySign({ ...given, stated: [own, own, undefined] })).toBe(false)
    expect(maySign({ ...given, stated: [], replicas: 1, threshold: 1 })).toBe(true)
  })

  it('a dispute delays a majority by half a minute, and no time replaces the majority', () => {
    const disputed = { ...given, stated: [own, own, other, undefined] }
    expect(maySign({ ...disputed, disputedForMs: 29_999 })).toBe(false)
    expect(maySign({ ...disputed, disputedForMs: 30_000 })).toBe(true)
    expect(maySign({ ...given, stated: [own, other], disputedForMs: 9e9 })).toBe(false)
  })

  it('a replica signs what as many others signed as can evaluate together, and late what it has', () => {
    const few = { ...given, stated: [] }
    expect(maySign({ ...few, signed: [own, own, other] })).toBe(false)
    expect(maySign({ ...few, signed: [own, own, own] })).toBe(true)
    expect(maySign({ ...few, threshold: 1, signed: [own] })).toBe(true)
    expect(maySign({ ...few, isLate: true })).toBe(true)
  })

  it('the roots that others signed stand in the order of their signatures, then of their bytes', () => {
    expect(toSignedRoots([])).toEqual([])
    expect(toSignedRoots([other, own, other])).toEqual([other, own])
    expect(toSignedRoots([other, own])).toEqual([own, other])
  })
})
