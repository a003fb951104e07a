import { afterAll, beforeAll, describe } from 'vitest'
import { hasServer, type TestServer, testServer } from './server.ts'
import { storeCopyTests } from './store-copy.ts'

describe.skipIf(!hasServer())('on a database server', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await testServer()
  }, 120_000)
  afterAll(() => server.remove())
  storeCopyTests(() => server, true)
})
