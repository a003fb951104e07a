import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@geotrace/core-wasm'
import { afterAll, beforeAll, describe } from 'vitest'
import { postgresStore } from '../../../../src/central/store/postgres/postgres-store.ts'
import { systemRandom } from '../../../../src/platform/random.ts'
import { centralStoreConformance } from '../conformance.ts'
import { hasServer, type TestServer, testServer } from './server.ts'

describe.skipIf(!hasServer())('on a database server', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await testServer()
  }, 120_000)
  afterAll(() => server.remove())

  for (const count of [1, 3]) {
    const create = async () => {
      const dir = await mkdtemp(join(tmpdir(), 'geotrace-store-'))
      const urls = await server.createPlace(count)
      return {
        open: () => postgresStore({ urls, keyPath: join(dir, 'keys'), random: systemRandom, clock: systemClock() }),
        remove: () => rm(dir, { recursive: true }),
      }
    }
    centralStoreConformance(`PostgreSQL in ${count} ${count === 1 ? 'part' : 'parts'}`, create, { runs: 8 })
  }
})
