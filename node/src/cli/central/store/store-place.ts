/**
 * Where the store of the central peer is: in its directory, or on PostgreSQL servers. node/CENTRAL.md "PostgreSQL". Throws
 * COMMAND_INVALID.
 */
import { join } from 'node:path'
import { type Command, Option } from 'commander'
import { databaseKeyPath } from '../../../central/store/store-keys.ts'
import { invalidCommand } from '../../terminal/invalid-command.ts'
import { defaultDir } from '../../terminal/options.ts'

export interface StoreOptions {
  dir: string
  /** Addresses of database servers, with commas between them. */
  store?: string
  storeKeyFile?: string
}

/** The environment keeps a password out of the list of processes. */
export function storeOption(): Option {
  const servers = 'postgres://user@host/database, several with commas between them'
  return new Option('--store <servers>', `the store is on PostgreSQL: ${servers}`).env('GEOTRACE_STORE')
}

export function storeOptions(command: Command): Command {
  return command
    .option('--dir <dir>', 'directory of the central peer', defaultDir('central'))
    .addOption(storeOption())
    .option('--store-key-file <file>', KEY_FILE)
}

export const KEY_FILE =
  'file of the keys of the store, for example on another disk (default: store.keys in --dir, database.keys for --store)'

/** Throws COMMAND_INVALID, without the addresses, which may have passwords. */
export function toServers(text: string): string[] {
  const servers = text.split(',')
  if (servers.every((server) => /^postgres(?:ql)?:\/\//.test(server))) return servers
  return invalidCommand(
    '--store expected addresses of database servers',
    'write postgres://user@host/database, with commas between several',
  )
}

/** The file of the keys of the store. */
export function toKeyPath({ dir, store, storeKeyFile }: StoreOptions): string {
  return storeKeyFile ?? (store === undefined ? join(dir, 'store.keys') : databaseKeyPath(dir))
}
