/** A look at the database servers of a store that needs no keys and changes nothing. Throws COMMAND_INVALID. */
import { systemClock } from '@geotrace/core-wasm'
import { closeServers, openServers } from '../../../central/store/postgres/opening.ts'
import { readVersion } from '../../../central/store/postgres/schema.ts'
import type { Server } from '../../../central/store/postgres/server.ts'

export interface ServerLook {
  /** `copy`: an unfinished copy of another store. */
  readonly state: 'silent' | 'empty' | 'copy' | 'store'
  /** UTC days with rows. */
  readonly days: readonly number[]
}

export async function lookAtServers(urls: readonly string[]): Promise<ServerLook[]> {
  const servers = await openServers(urls, systemClock())
  try {
    return await Promise.all(
      servers.map((server) => look(server).catch(() => ({ state: 'silent' as const, days: [] }))),
    )
  } finally {
    await closeServers(servers)
  }
}

async function look(server: Server): Promise<ServerLook> {
  if ((await readVersion(server)) === 0) return { state: 'empty', days: [] }
  const names = (await server.query<{ name: string }>('select name from setting')).map(({ name }) => name)
  const days = await server.query<{ day: number }>('select day from day where lines > 0')
  const state = names.includes('copy') ? 'copy' : names.includes('store') ? 'store' : 'empty'
  return { state, days: days.map(({ day }) => day) }
}
