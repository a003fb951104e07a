import { createHash } from 'node:crypto'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createTracer } from '../../src/index.ts'
import { KEYS } from '../../src/storage/key-layout.ts'
import { put, type Storage } from '../../src/storage/storage.ts'
import { type FakeFederation, fakeFederation, START_MS } from '../../src/testing/fake-federation.ts'
import { lastingStorage } from '../fixture.ts'

const HERE = { lat: 52.52, lng: 13.405, accuracyM: 5 }
const sha256 = (text: string) => Uint8Array.from(createHash('sha256').update(text).digest())

async function openOn({ dialer, clock, core }: FakeFederation, storage: Storage, text: string) {
  return createTracer({ federation: text, storage, dialer, clock, core, redaction: false })
}

afterEach(() => vi.restoreAllMocks())

describe('openManifest', () => {
  it('a manifest is checked whole before a storage is opened under it, and when it changes', async () => {
    const federation = await fakeFederation()
    const storage = lastingStorage()
    const text = JSON.stringify(federation.manifest)
    const wrong = JSON.stringify({ ...federation.manifest, extra: 1 })
    await expect(openOn(federation, storage, wrong)).rejects.toMatchObject({ code: 'MANIFEST_INVALID' })
    expect(await storage.get(KEYS.manifest)).toBeUndefined()
    await openOn(federation, storage, text)
    expect(await storage.get(KEYS.manifest)).toEqual(sha256(text))
    await expect(openOn(federation, storage, wrong)).rejects.toMatchObject({ code: 'MANIFEST_INVALID' })
    // The same manifest with other white space.
    await openOn(federation, storage, `${text}\n`)
    expect(await storage.get(KEYS.manifest)).toEqual(sha256(`${text}\n`))
    const other = JSON.stringify({ ...federation.manifest, name: 'another' })
    await expect(openOn(federation, storage, other)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' })
  })

  it('a manifest that an earlier start checked is used to record, and checked again before a sync or an erasure', async () => {
    const federation = await fakeFederation()
    const storage = lastingStorage()
    await openOn(federation, storage, JSON.stringify(federation.manifest))
    // The stored hash says that an earlier start accepted this manifest, as if its rules were less strict.
    const wrong = JSON.stringify({ ...federation.manifest, extra: 1 })
    await storage.batch([put(KEYS.manifest, sha256(wrong))])
    const tracer = await openOn(federation, storage, wrong)
    expect(await tracer.record({ ...HERE, at: START_MS })).toEqual({ accepted: true })
    const asked = vi.spyOn(federation.dialer, 'open')
    await expect(tracer.sync()).rejects.toMatchObject({ code: 'MANIFEST_INVALID' })
    await expect(tracer.eraseAll()).rejects.toMatchObject({ code: 'MANIFEST_INVALID' })
    expect(asked).not.toHaveBeenCalled()
  })

  it('a manifest is checked at every start where the runtime has no SHA-256', async () => {
    const federation = await fakeFederation()
    const storage = lastingStorage()
    const wrong = JSON.stringify({ ...federation.manifest, extra: 1 })
    await openOn(federation, storage, JSON.stringify(federation.manifest))
    await storage.batch([put(KEYS.manifest, sha256(wrong))])
    vi.spyOn(globalThis, 'crypto', 'get').mockReturnValue({} as Crypto)
    await expect(openOn(federation, storage, wrong)).rejects.toMatchObject({ code: 'MANIFEST_INVALID' })
  })
})
