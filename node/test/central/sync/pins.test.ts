import {
  DEMO_PHRASE,
  demoSecret,
  isValidPin,
  manifestToId,
  type Pin,
  secretToSigner,
  signPin,
} from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { memoryStore } from '../../../src/central/store/memory-store.ts'
import { rosterPins } from '../../../src/central/sync/pins.ts'
import type { Standing } from '../../../src/membership/agreement/standing.ts'
import { certifiedRoster, demoManifest } from '../world.ts'

const signer = secretToSigner(demoSecret(DEMO_PHRASE, 'peer/authority'))

function scene() {
  const store = memoryStore()
  const manifest = demoManifest()
  const federation = manifestToId(manifest)
  const first = certifiedRoster(manifest)
  const begin = first.roster.firstEpoch
  const later = certifiedRoster(manifest, { height: 1, firstEpoch: begin + 30 })
  const certified = [first]
  const rosters = { inForce: (epoch: number) => certified.filter(({ roster }) => roster.firstEpoch <= epoch).at(-1) }
  const published: Pin[] = []
  const at = { standing: 'current' as Standing }
  const publish = (pin: Pin): void => void published.push(pin)
  const open = () => rosterPins({ store, rosters, federation, signer, publish, standing: () => at.standing })
  const [firstName, laterName] = [first, later].map(({ hash }) => hash.slice(0, 8)) as [Uint8Array, Uint8Array]
  return { store, federation, first, later, firstName, laterName, begin, certified, published, at, open }
}

describe('the pins of rosters', () => {
  it('the first group that is taken pins its epoch alone, durably and with a signature', async () => {
    const s = scene()
    const pins = await s.open()
    expect(await pins.take(s.begin, s.firstName)).toBe(true)
    expect(s.published).toEqual([pins.of(s.begin)])
    expect(isValidPin(s.published[0]!, s.federation, signer.key)).toBe(true)
    expect(s.published[0]).toMatchObject({ epoch: s.begin, roster: s.first.hash })
    expect(pins.of(s.begin + 1)).toBeUndefined()
    expect(await (await s.open()).take(s.begin, s.firstName)).toBe(true)
    expect(await s.store.pins()).toEqual(s.published)
  })

  it('a refused group pins nothing', async () => {
    const s = scene()
    const pins = await s.open()
    expect(await pins.take(s.begin - 1, s.firstName)).toBe(false)
    expect(await pins.take(s.begin + 40, s.laterName)).toBe(false)
    expect(await s.store.pins()).toEqual([])
    expect(s.published).toEqual([])
    expect(pins.name(s.begin - 1)).toEqual(new Uint8Array(8))
    expect(pins.name(s.begin + 40)).toEqual(s.firstName)
  })

  it('a pinned epoch keeps its roster when a later roster governs it, and other epochs follow the later roster', async () => {
    const s = scene()
    const pins = await s.open()
    expect(await pins.take(s.begin + 31, s.firstName)).toBe(true)
    s.certified.push(s.later)
    expect(await pins.take(s.begin + 31, s.laterName)).toBe(false)
    expect(await pins.take(s.begin + 31, s.firstName)).toBe(true)
    expect(pins.name(s.begin + 31)).toEqual(s.firstName)
    expect(await pins.take(s.begin + 32, s.firstName)).toBe(false)
    expect(await pins.take(s.begin + 32, s.laterName)).toBe(true)
    s.certified.splice(0, 1)
    expect((await s.open()).name(s.begin + 31)).toEqual(s.firstName)
  })

  it('a peer that may lack a roster pins nothing, and takes groups of pinned epochs', async () => {
    const s = scene()
    const pins = await s.open()
    await pins.take(s.begin, s.firstName)
    for (const standing of ['catching-up', 'apart'] as const) {
      s.at.standing = standing
      expect(await pins.take(s.begin + 1, s.firstName)).toBe(false)
      expect(await pins.take(s.begin, s.firstName)).toBe(true)
    }
    s.at.standing = 'checking'
    await expect(pins.take(s.begin + 1, s.firstName)).rejects.toMatchObject({ code: 'BUSY' })
    expect(await pins.take(s.begin + 1, s.laterName)).toBe(false)
    s.at.standing = 'current'
    expect(await pins.take(s.begin + 1, s.firstName)).toBe(true)
    expect(s.published).toHaveLength(2)
  })

  it('a pin that another peer gave back is kept, and no pin of ours gives way to it', async () => {
    const s = scene()
    const pins = await s.open()
    const lost = signPin(signer, s.federation, s.begin + 31, s.first.hash)
    s.certified.push(s.later)
    await pins.adopt(lost)
    expect(await pins.take(s.begin + 31, s.laterName)).toBe(false)
    expect(await pins.take(s.begin + 31, s.firstName)).toBe(true)
    await pins.adopt(signPin(signer, s.federation, s.begin + 31, s.later.hash))
    expect(pins.of(s.begin + 31)).toEqual(lost)
    expect((await s.open()).of(s.begin + 31)).toEqual(lost)
    expect(s.published).toEqual([])
  })

  it('groups that arrive at once agree on one pin', async () => {
    const s = scene()
    const pins = await s.open()
    const takes = Array.from({ length: 20 }, () => pins.take(s.begin + 31, s.firstName))
    s.certified.push(s.later)
    takes.push(...Array.from({ length: 20 }, () => pins.take(s.begin + 31, s.laterName)))
    const taken = await Promise.all(takes)
    expect(new Set(taken.slice(0, 20)).size).toBe(1)
    expect(taken.slice(20)).toEqual(taken.slice(0, 20).map((isTaken) => !isTaken))
    expect(s.published).toHaveLength(1)
  })

  it('the open pins are those of epochs that take deposits, in order', async () => {
    const s = scene()
    const pins = await s.open()
    for (const after of [12, 0, 5]) await pins.take(s.begin + after, s.firstName)
    const endMs = (s.begin + 1) * 4_800_000
    expect(pins.open(endMs + 172_800_000).map(({ epoch }) => epoch - s.begin)).toEqual([0, 5, 12])
    expect(pins.open(endMs + 172_800_001).map(({ epoch }) => epoch - s.begin)).toEqual([5, 12])
  })
})
