import type { Parameters } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { newDemoManifest } from '../../src/membership/new-manifest.ts'

const NOW = Date.UTC(2026, 5, 1, 12)

describe('a new manifest', () => {
  it('cards found no federation whose roster would be too large, and the error says what to choose instead', () => {
    const peers = ['ash', 'birch', 'cedar', 'elm', 'fir', 'office'].map((operator, i) => ({
      operator,
      addresses: [`/ip4/127.0.0.1/tcp/${4100 + i}`],
    }))
    const found = (parameters: Partial<Parameters>) =>
      newDemoManifest({ name: 'test', phrase: 'a phrase for tests', peers, at: NOW, parameters })
    expect(found({ shards: 900, replicas: 5 }).parameters.shards).toBe(900)
    for (const parameters of [{ shards: 4_096 }, { shards: 1_024, replicas: 5 }]) {
      expect(() => found(parameters)).toThrow(
        expect.objectContaining({
          code: 'MANIFEST_INVALID',
          data: { path: 'parameters.shards', reason: expect.stringContaining('choose fewer shards or replicas') },
        }),
      )
    }
  })
})
