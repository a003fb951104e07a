import { readFileSync } from 'node:fs'
import { loadGroup } from '@geotrace/core-wasm/voprf'
import type { PartSeed } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { systemRandom } from '../../../src/platform/random.ts'
import { seedTaker, wrapSeeds } from '../../../src/salt/secrets/seed-wrap.ts'

const group = await loadGroup()
const seedOf = (part: number): PartSeed => ({
  ...{ part, epoch: 9, state: systemRandom(32), quotaKey: systemRandom(32), maker: 2, signature: systemRandom(64) },
})

describe('the wrapping of exchanged seeds', () => {
  it('wrapped and opened seeds equal the published vectors, which noble made', () => {
    const url = new URL('../../../../core-wasm/vectors/seeds.json', import.meta.url)
    const { seed, wrap } = JSON.parse(readFileSync(url, 'utf8'))
    const of = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'))
    // A draw of a reduced scalar and 32 zeros is that scalar.
    const drawing = (secret: string) => () => new Uint8Array([...of(secret), ...new Uint8Array(32)])
    const taker = seedTaker(group, drawing(wrap.takerSecret))
    expect(taker.key).toEqual(of(wrap.takerKey))
    const seeds = Object.keys(wrap.wrapped).map((part) => ({
      ...seedOf(Number(part)),
      ...{ state: of(seed.state), quotaKey: of(seed.quotaKey) },
    }))
    const wrapped = wrapSeeds(group, drawing(wrap.giverSecret), taker.key, seeds)
    expect(wrapped.giverKey).toEqual(of(wrap.giverKey))
    expect(wrapped.parts.map(({ wrapped: bytes }) => bytes)).toEqual(Object.values(wrap.wrapped as string[]).map(of))
    expect(taker.open(wrapped)).toEqual(seeds)
  })

  it('a taker opens all seeds of an answer, and another taker gets other bytes', () => {
    const seeds = [0, 3, 34].map(seedOf)
    const [taker, other] = [seedTaker(group, systemRandom), seedTaker(group, systemRandom)]
    const wrapped = wrapSeeds(group, systemRandom, taker.key, seeds)
    expect(taker.open(wrapped)).toEqual(seeds)
    for (const [i, { state }] of other.open(wrapped).entries()) expect(state).not.toEqual(seeds[i]!.state)
    // The same seed is wrapped under another key for each answer, and under another pad for each part.
    const again = wrapSeeds(group, systemRandom, taker.key, seeds)
    const twice = wrapSeeds(group, systemRandom, taker.key, [seeds[0]!, { ...seeds[0]!, part: 1 }])
    const all = [...wrapped.parts, ...again.parts, ...twice.parts].map(({ wrapped: bytes }) => Buffer.from(bytes))
    expect(new Set(all.map((bytes) => bytes.toString('hex'))).size).toBe(all.length)
    expect(wrapSeeds(group, systemRandom, taker.key, [])).toEqual({ giverKey: new Uint8Array(32), parts: [] })
  })

  it('giver and taker wipe what they drew', () => {
    const draws: Uint8Array[] = []
    const random = (length: number) => {
      draws.push(systemRandom(length))
      return draws.at(-1)!
    }
    const taker = seedTaker(group, random)
    wrapSeeds(group, random, taker.key, [seedOf(1)])
    expect(draws).toHaveLength(2)
    for (const draw of draws) expect(draw.every((byte) => byte === 0)).toBe(true)
    const [seed] = [seedOf(2)]
    const wrapped = wrapSeeds(group, random, taker.key, [seed])
    taker.end()
    expect(() => taker.open(wrapped)).toThrow(RangeError)
  })
})
