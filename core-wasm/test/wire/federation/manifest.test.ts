import { describe, expect, it } from 'vitest'
import { testManifest } from '../../../src/testing/founding.ts'
import * as wire from '../../../src/wire/index.ts'

const invalid = (path: string) =>
  expect.objectContaining({ code: 'MANIFEST_INVALID', data: expect.objectContaining({ path }) })
const text = (change: (value: Record<string, any>) => void) => {
  const value = JSON.parse(JSON.stringify(testManifest()))
  change(value)
  return JSON.stringify(value)
}

describe('federation.json', () => {
  it('the text of a manifest parses to the same manifest', () => {
    expect(wire.parseManifest(text(() => {}))).toEqual(testManifest())
  })

  it('a manifest whose members have not opened their nonces is refused, and its error says what is missing', () => {
    const frozen = text((v) => void delete v.openings)
    expect(() => wire.parseManifest(frozen)).toThrow(invalid('openings'))
    expect(() => wire.parseManifest(frozen)).toThrow(/not opened/)
    const { openings, ...rest } = testManifest()
    expect(wire.parseFrozenManifest(frozen)).toEqual(rest)
    expect(wire.parseFrozenManifest(text(() => {}))).toEqual(rest)
    expect(wire.completeManifest(rest, openings.map(wire.hexToBytes))).toEqual(testManifest())
    for (const odd of ['null', '[]', '7', '"openings"']) {
      expect(() => wire.parseFrozenManifest(odd), odd).toThrow(invalid(''))
      expect(() => wire.parseManifest(odd), odd).toThrow(invalid(''))
    }
  })

  it('a manifest is refused when an opening is missing, swapped or made up, and the error names the operator', () => {
    const refuse = (path: string, change: (v: Record<string, any>) => void, reason: RegExp) => {
      expect(() => wire.parseManifest(text(change)), path).toThrow(invalid(path))
      expect(() => wire.parseManifest(text(change)), path).toThrow(reason)
    }
    refuse('openings', (v) => void v.openings.pop(), /expected 6 nonces, got 5/)
    refuse('openings', (v) => void v.openings.push('11'.repeat(32)), /expected 6 nonces, got 7/)
    refuse('openings.2', (v) => void (v.openings[2] = '11'.repeat(32)), /nonce of the card of cedar/)
    refuse('openings.0', (v) => void v.openings.reverse(), /nonce of the card of ash/)
    refuse('openings.5', (v) => void (v.central.commitment = '11'.repeat(32)), /nonce of the card of office/)
    refuse('members', (v) => void (v.members[1].commitment = v.members[0].commitment), /distinct/)
  })

  it('a manifest with an unknown key at any depth is refused with the path of the key', () => {
    expect(() => wire.parseManifest(text((v) => void (v.extra = 1)))).toThrow(invalid('extra'))
    expect(() => wire.parseManifest(text((v) => void (v.parameters.extra = 1)))).toThrow(invalid('parameters.extra'))
    expect(() => wire.parseManifest(text((v) => void (v.members[2].extra = 1)))).toThrow(invalid('members.2.extra'))
    expect(() => wire.parseManifest(text(() => {}).replace('{', '{"__proto__":{},'))).toThrow(wire.FederationError)
  })

  it('tokens of the manifest stand in the founding roster, and go with threshold salting only', () => {
    const tokens = { perDay: 4, key: `8${'0'.repeat(510)}1`, relayKey: `8${'0'.repeat(510)}3` }
    const founded = (more: object, salting = 'threshold') =>
      wire.parseManifest(text((v) => Object.assign(v.parameters, { salting, tokens: { ...tokens, ...more } })))
    expect(wire.manifestToRoster(founded({})).tokens).toEqual(tokens)
    expect(wire.manifestToRoster(testManifest())).not.toHaveProperty('tokens')
    const path = (more: object, salting?: string) => {
      try {
        return founded(more, salting) && 'valid'
      } catch (error) {
        return wire.isFederationError(error, 'MANIFEST_INVALID') ? error.data.path : String(error)
      }
    }
    expect(path({}, 'plain')).toBe('parameters.tokens')
    expect([path({ perDay: 0 }), path({ perDay: 17 })]).toEqual(Array(2).fill('parameters.tokens.perDay'))
    for (const key of [`7${'f'.repeat(511)}`, `8${'0'.repeat(511)}`, `8${'0'.repeat(509)}1`, 'G'.repeat(512)])
      expect(path({ key })).toBe('parameters.tokens.key')
    expect(path({ relayKey: 'G' })).toBe('parameters.tokens.relayKey')
    expect(path({ relayKey: tokens.key })).toBe('parameters.tokens')
    expect(path({ more: 1 })).toBe('parameters.tokens.more')
  })

  it('a spread of the manifest stands in the founding roster, and a roster without one has no key for it', () => {
    const spread = { areas: [7, 9], resolution: 6, periodDays: 14, minimum: 100, epsilon: 1_000 }
    const manifest = wire.parseManifest(text((v) => void (v.parameters.spread = spread)))
    expect(wire.manifestToRoster(manifest).spread).toEqual(spread)
    expect(wire.manifestToRoster(testManifest())).not.toHaveProperty('spread')
    const wrong: [string, object][] = [
      ['parameters.spread', { areas: [9, 7] }],
      ['parameters.spread', { areas: [7, 7] }],
      ['parameters.spread', { areas: [4 * 2_401] }],
      ['parameters.spread', { areas: [1, 2, 3, 4, 5, 6], resolution: 8 }],
      ['parameters.spread', { epsilon: 100, resolution: 8 }],
      ['parameters.spread.areas', { areas: [] }],
      ['parameters.spread.areas.0', { areas: [288_122] }],
      ['parameters.spread.resolution', { resolution: 4 }],
      ['parameters.spread.periodDays', { periodDays: 15 }],
      ['parameters.spread.minimum', { minimum: 19 }],
      ['parameters.spread.epsilon', { epsilon: 99 }],
      ['parameters.spread.extra', { extra: 1 }],
    ]
    for (const [path, change] of wrong) {
      const bad = text((v) => void (v.parameters.spread = { ...spread, ...change }))
      expect(() => wire.parseManifest(bad), JSON.stringify(change)).toThrow(invalid(path))
    }
  })

  it('a manifest with a missing, wrong or out-of-range value is refused with its path', () => {
    const cases: [string, (v: Record<string, any>) => void][] = [
      ['parameters.resolution', (v) => void (v.parameters.resolution = 11)],
      ['parameters.salting', (v) => void (v.parameters.salting = 'none')],
      ['parameters.accuracyM', (v) => void (v.parameters.accuracyM = 9)],
      ['parameters.accuracyM', (v) => void (v.parameters.accuracyM = 51)],
      ['parameters.shards', (v) => void (v.parameters.shards = 0)],
      ['parameters.shards', (v) => void delete v.parameters.shards],
      ['parameters.replicas', (v) => void (v.parameters.replicas = 6)],
      ['parameters.threshold', (v) => void (v.parameters.threshold = 2)],
      ['parameters.evaluations', (v) => void (v.parameters.evaluations = [36, 12])],
      ['parameters.evaluations', (v) => void (v.parameters.evaluations = [])],
      ['parameters.evaluations.0', (v) => void (v.parameters.evaluations = [37])],
      ['parameters.devicesPerAddress', (v) => void (v.parameters.devicesPerAddress = 0)],
      ['parameters.evaluationsPerShardEpoch', (v) => void (v.parameters.evaluationsPerShardEpoch = 0)],
      ['parameters.syncRequestBytes', (v) => void (v.parameters.syncRequestBytes = [8192, 2048])],
      ['parameters.apps', (v) => void delete v.parameters.apps],
      ['parameters.apps.0', (v) => void (v.parameters.apps = ['http://app.example.org'])],
      ['parameters.apps', (v) => void (v.parameters.apps = ['https://b.example.org', 'https://a.example.org'])],
      ['parameters.apps', (v) => void (v.parameters.apps = Array(2).fill('https://a.example.org'))],
      ['parameters.apps', (v) => void (v.parameters.apps = Array.from('abcdefghijklmnopq', (a) => `https://${a}`))],
      ['core.simd', (v) => void (v.core.simd = 'ff')],
      ['members.0.peerId', (v) => void (v.members[0].peerId = 'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N')],
      ['members.0.operator', (v) => void (v.members[0].operator = 'nobody')],
      ['members.0.operator', (v) => void (v.members[0].operator = 'office')],
      ['members', (v) => void (v.members[1].peerId = v.members[0].peerId)],
      ['operators', (v) => void (v.operators[1].key = v.operators[0].key)],
      ['founding.at', (v) => void (v.founding.at = 'yesterday')],
      ['version', (v) => void (v.version = 2)],
    ]
    for (const [path, change] of cases) expect(() => wire.parseManifest(text(change)), path).toThrow(invalid(path))
    expect(() => wire.parseManifest('{')).toThrow(invalid(''))
    const twice = text(() => {}).replace('"shards"', '"shards":1,"shards"')
    expect(() => wire.parseManifest(twice)).toThrow(/"shards" stands twice/)
    expect(() => wire.parseManifest(twice)).toThrow(invalid(''))
    expect(() => wire.parseManifest(' '.repeat(wire.MANIFEST_MAX_BYTES + 1))).toThrow(invalid(''))
    expect(() => wire.parseManifest('['.repeat(100_000))).toThrow(invalid(''))
  })

  it('a threshold is at most a majority of the replicas, makes at most 35 parts, and goes with the rolling quota', () => {
    const manifest = (replicas: number, threshold: number, more: object = {}) => {
      const parameters = { ...testManifest().parameters, salting: 'threshold', replicas, threshold, ...more }
      return () => wire.assertManifest({ ...testManifest(), parameters })
    }
    for (const [replicas, threshold] of [
      [1, 1],
      [3, 1],
      [3, 2],
      [4, 3],
      [5, 3],
    ] as const) {
      expect(manifest(replicas, threshold)).not.toThrow()
      expect(manifest(replicas, Math.floor(replicas / 2) + 2)).toThrow(invalid('parameters.threshold'))
    }
    expect(manifest(5, 3, { quota: 'strict' })).toThrow(invalid('parameters.quota'))
    const sharable = Array.from({ length: 15 }, (_, i) => i + 1).flatMap((replicas) =>
      Array.from({ length: 15 }, (_, i) => i + 1).filter((threshold) => wire.isSharable(replicas, threshold)),
    )
    expect(wire.isSharable(7, 4)).toBe(true)
    expect(wire.isSharable(8, 4)).toBe(false)
    expect(wire.isSharable(15, 2)).toBe(true)
    expect(sharable.length).toBeGreaterThan(20)
  })

  it('a manifest allows at most 65,536 lines in a sheet, the reach of a Merkle path of 16', () => {
    const lines = (periodEpochs: number, reserveEpochs: number) => () =>
      wire.parseManifest(text((v) => Object.assign(v.parameters, { periodEpochs, reserveEpochs })))
    expect(lines(65_000, 536)).not.toThrow()
    expect(lines(536, 65_000)).not.toThrow()
    expect(lines(65_000, 537)).toThrow(invalid('parameters.reserveEpochs'))
    expect(lines(65_001, 0)).toThrow(invalid('parameters.periodEpochs'))
  })

  it('the id of a manifest changes with every value but the openings, and not with the order of keys', () => {
    const id = wire.bytesToHex(wire.manifestToId(testManifest()))
    const turned = Object.fromEntries(Object.entries(testManifest()).reverse())
    expect(wire.bytesToHex(wire.manifestToId(wire.assertManifest(turned)))).toBe(id)
    const { openings, ...frozen } = testManifest()
    expect(wire.bytesToHex(wire.manifestToId(frozen))).toBe(id)
    const other = { ...frozen, founding: { at: '2026-11-21T12:00:00.001Z' } }
    expect(wire.bytesToHex(wire.manifestToId(other))).not.toBe(id)
    // New cards make another federation, whatever else is equal.
    const central = { ...frozen.central, commitment: '12'.repeat(32) }
    expect(wire.bytesToHex(wire.manifestToId({ ...frozen, central }))).not.toBe(id)
  })

  it('a manifest with demo keys is refused off the loopback, even without the key `demo`', () => {
    const away = expect.objectContaining({ code: 'ADDRESS_NOT_LOOPBACK' })
    for (const address of [
      '/ip4/192.168.1.4/tcp/1',
      '/dns4/example.org/tcp/1',
      '/ip4/127.0.0.1.example/tcp/1',
      '/ip6/fe80::1/tcp/1',
    ]) {
      expect(() => wire.parseManifest(text((v) => void (v.members[1].addresses = [address]))), address).toThrow(
        wire.FederationError,
      )
    }
    expect(() => wire.parseManifest(text((v) => void (v.central.addresses = ['/ip4/10.0.0.1/tcp/1'])))).toThrow(away)
    expect(() =>
      wire.parseManifest(
        text((v) => {
          const signer = wire.secretToSigner(wire.demoSecret(wire.DEMO_PHRASE, 'operator/ash'))
          v.operators[0].key = wire.bytesToHex(signer.key)
          delete v.demo
          v.members[0].addresses = ['/ip4/10.0.0.1/tcp/1']
        }),
      ),
    ).toThrow(away)
  })
})
