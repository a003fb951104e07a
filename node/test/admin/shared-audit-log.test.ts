import { expect, it } from 'vitest'
import { readSharedAuditLog, sharedAuditLog } from '../../src/admin/shared-audit-log.ts'
import { memoryStore } from '../../src/central/store/memory-store.ts'

let now = 1_700_000_000_000
const clock = { now: () => now++ }

it('processes that share a store write one chain, and a later one goes on with it', async () => {
  const store = memoryStore()
  const logs = [1, 2, 3].map(() => sharedAuditLog(() => store, clock))
  expect(await readSharedAuditLog(store)).toEqual({ lines: [], head: '0'.repeat(64), broken: [] })
  for (let round = 0; round < 7; round++)
    await Promise.all(logs.map((log, process) => log.append('codes.issue', { round, process })))
  await sharedAuditLog(() => store, clock).append('peer.start')
  const { lines, head, broken } = await readSharedAuditLog(store)
  expect(broken).toEqual([])
  expect(lines).toHaveLength(22)
  expect(lines.at(-1)).toMatchObject({ action: 'peer.start', hash: head })
  const seen = lines.slice(0, -1).map(({ details }) => `${details.round}/${details.process}`)
  expect(new Set(seen).size).toBe(21)
})

it('a changed and an emptied line of the shared log are named', async () => {
  const store = memoryStore()
  const log = sharedAuditLog(() => store, clock)
  for (let n = 0; n < 5; n++) await log.append('codes.issue', { n })
  const line = new TextDecoder().decode(await store.record('audit/2'))
  await store.putRecord('audit/2', new TextEncoder().encode(line.replace('"n":1', '"n":9')))
  expect((await readSharedAuditLog(store)).broken).toEqual([2])
  await store.putRecord('audit/4', new Uint8Array(0))
  expect((await readSharedAuditLog(store)).broken).toEqual([2, 4, 5])
})
