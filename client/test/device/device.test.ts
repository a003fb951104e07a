import { describe, expect, it } from 'vitest'
import { memoryStorage } from '../../src/storage/memory-storage.ts'
import { fakeFederation, openTracer } from '../../src/testing/fake-federation.ts'

describe('openSecrets', () => {
  it('a storage opens under one federation only', async () => {
    const storage = memoryStorage()
    await openTracer(await fakeFederation(), { storage })
    const other = await fakeFederation({ retentionDays: 7 })
    await expect(openTracer(other, { storage })).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' })
  })
})
