/** A blob on a database server: the rows of one sync on one UTC day (arrival.ts), sealed. PROTOCOL.md §8. */
import { EPOCHS_PER_DAY } from '@geotrace/core-wasm/wire'
import type { User } from '../central-store.ts'
import type { Line, Server } from './server.ts'
import { type ServerGroup, toBytes } from './server-group.ts'

/** The bit of a blob with an acknowledgement, above those of epochs. */
export const ACKNOWLEDGED = 1 << EPOCHS_PER_DAY
export function blobName(user: User, sync: Uint8Array): string {
  return `blob/${user}/${Buffer.from(sync.buffer, sync.byteOffset, sync.byteLength).toString('hex')}`
}

/** The blob of a line with `usr`, `sync` and `b`. */
export function openBlob(group: ServerGroup, server: Server, day: number, line: Line): Uint8Array {
  return group.openDay(server, day, blobName(line.usr as User, toBytes(line, 'sync')), toBytes(line))
}
