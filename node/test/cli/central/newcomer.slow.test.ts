import { it } from 'vitest'
import { hasServer, testServer } from '../../central/store/postgres/server.ts'
import { followDatabasePage, followPage } from './newcomer.ts'

it('each command of CENTRAL.md does the same as a process of its own in bash', async () => {
  await followPage(true)
})

it.skipIf(!hasServer())('a newcomer copies the store to PostgreSQL, runs it there, dumps and restores it', async () => {
  const server = await testServer()
  try {
    await followDatabasePage(server)
  } finally {
    await server.remove()
  }
})
