/** A look at the database servers of a store that needs no keys and changes nothing. Throws COMMAND_INVALID. */
import { systemClock } from '@geotrace/core-wasm'
import { isFederationError } from '@geotrace/core-wasm/wire'
import { closeServers, openServers } from '../../../central/store/postgres/opening.ts'
import { readVersion } from '../../../central/store/postgres/schema.ts'
import type { Server } from '../../../central/store/postgres/server.ts'
import { toCode } from '../../../platform/disk-error.ts'
import { invalidCommand } from '../../terminal/invalid-command.ts'
import { toServers } from './store-place.ts'

export interface ServerLook {
  /** `copy`: an unfinished copy of another store. */
  readonly state: 'silent' | 'empty' | 'copy' | 'store'
  /** Why a silent server gives no answer. */
  readonly reason?: string
  /** UTC days with rows. */
  readonly days: readonly number[]
}

export async function lookAtServers(urls: readonly string[]): Promise<ServerLook[]> {
  const servers = await openServers(urls, systemClock())
  try {
    return await Promise.all(servers.map((server) => look(server).catch(toSilent)))
  } finally {
    await closeServers(servers)
  }
}

function toSilent(error: unknown): ServerLook {
  return { state: 'silent', reason: isFederationError(error) ? error.message : toCode(error), days: [] }
}

/** Throws COMMAND_INVALID when a server of `--store` gives no answer. */
export async function assertAnswering(store: string): Promise<void> {
  const silent = (await lookAtServers(toServers(store))).find(({ state }) => state === 'silent')
  if (silent !== undefined)
    invalidCommand(
      silent.reason ?? 'a database server does not answer',
      'correct --store or GEOTRACE_STORE, or start the server',
    )
}

async function look(server: Server): Promise<ServerLook> {
  if ((await readVersion(server)) === 0) return { state: 'empty', days: [] }
  const names = (await server.query<{ name: string }>('select name from setting')).map(({ name }) => name)
  const days = await server.query<{ day: number }>('select day from day where lines > 0')
  const state = names.includes('copy') ? 'copy' : names.includes('store') ? 'store' : 'empty'
  return { state, days: days.map(({ day }) => day) }
}
