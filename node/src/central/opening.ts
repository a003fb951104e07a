/**
 * Opens what a process of the central peer keeps while its duty changes: the store, its disk, and the records of the
 * process. PROTOCOL.md §8. Throws STORE_LOCKED, STORE_MISSING, STORAGE_CORRUPT, MANIFEST_INVALID.
 */
import { join } from 'node:path'
import type { Clock, Random } from '@geotrace/core-wasm'
import type { Manifest } from '@geotrace/core-wasm/wire'
import { assertSameFederation, isFoundedWith } from '../membership/membership.ts'
import type { Pace } from '../membership/pace.ts'
import type { OpenHost } from '../net/host.ts'
import type { CertificateSource } from '../net/transport/tls-certificate.ts'
import { type DiskSpace, type DiskSpaceInit, diskSpace } from '../platform/disk-space.ts'
import { fileRecords, type OpenRecords, type Records } from '../platform/file-records.ts'
import type { Log } from '../platform/log.ts'
import type { CentralConfig } from './config.ts'
import type { CentralStore } from './store/central-store.ts'
import { levelStore } from './store/level/level-store.ts'
import { databaseKeyPath, isOneDisk } from './store/store-keys.ts'

export interface CentralPeerInit {
  manifest: Manifest
  /** 32-byte secret of the peer id that the manifest names as `central`. */
  secret: Uint8Array
  /** 32-byte secret of the authority's operator key, for its vote. */
  operatorSecret?: Uint8Array
  /** The first seal secret, for a directory without one; a demo derives it, `geotrace central init` draws it. */
  sealSecret?: Uint8Array
  /** The peer's directory for rosters and votes, and for the store unless `store` is given. */
  dir: string
  /** The file of the store's keys; default: `store.keys` in `dir`, `database.keys` with `servers`. */
  keyPath?: string
  /** Addresses of the PostgreSQL servers that have the store; default: the store is in `dir`. */
  servers?: readonly string[]
  /** The folder of the seal keys and of the issuer's, which all processes of one store share; default: `dir`. */
  secretDir?: string
  /** An open store, which the caller closes. */
  store?: CentralStore
  /**
   * Default: the store is founded the first time. `restored`: the directory came from a backup of the keys, so a missing
   * store is lost. `anew`: begins with an empty store, because the old one is lost; refused while there is a store.
   */
  founding?: 'restored' | 'anew'
  clock: Clock
  /** Waits for the ends of reply slots; default: `clock`. A clock that stands still during a request needs another one. */
  replyTimer?: Pick<Clock, 'setTimer'>
  random: Random
  log: Log
  /** Multiaddrs to listen on; default: those of the manifest. */
  listen?: readonly string[]
  localAddress?: string
  /** TLS certificate for addresses that end in `/tls/ws`. */
  certificate?: CertificateSource
  config?: Partial<CentralConfig>
  /** Opens the network host; default: libp2p. */
  openHost?: OpenHost
  /** Opens the records in `dir`; default: files. */
  openRecords?: OpenRecords
  /** Other bounds of the disk's free space, and another way to ask for it. */
  disk?: Partial<Pick<DiskSpaceInit, 'freeBytes' | 'reserveBytes' | 'ballastBytes'>>
  /** Intervals of link probes and heartbeats; default: REAL_PACE. */
  pace?: Pace
}

/** The parts that outlive a change of duty. */
export interface Opened {
  store: CentralStore
  space: DiskSpace | undefined
  storeKeys: string | undefined
  ownRecords: Records
}

/** Opens what outlives a change of duty. */
export async function openAll(init: CentralPeerInit): Promise<Opened> {
  const { manifest, dir, clock, random, log, openRecords = fileRecords } = init
  const space = init.store === undefined ? diskSpace({ dir, clock, random, log, ...init.disk }) : undefined
  // On a full disk the store opens only after the ballast made room.
  await space?.look()
  const ownRecords = await openRecords(join(dir, 'records'))
  const store = init.store ?? (await openStore(init, ownRecords))
  try {
    await assertSameFederation(manifest, ownRecords)
    return { space, ownRecords, store, storeKeys: isOnDisk(init) ? await describeKeys(init) : undefined }
  } catch (error) {
    if (init.store === undefined) await store.close()
    throw error
  }
}

/** The records name a federation since the first start, which founded the store before. */
async function openStore(
  { dir, keyPath, servers, random, clock, founding }: CentralPeerInit,
  records: Records,
): Promise<CentralStore> {
  const isFounded = founding === 'restored' || (await isFoundedWith(records))
  const rule = founding === 'anew' ? founding : isFounded ? 'never' : 'if-missing'
  const erasedPath = join(dir, 'erased-users')
  if (servers !== undefined) {
    const { postgresStore } = await import('./store/postgres/postgres-store.ts')
    const own = { keyPath: keyPath ?? databaseKeyPath(dir), erasedPath, founding: rule } as const
    return await postgresStore({ urls: servers, ...own, random, clock })
  }
  return await levelStore({
    dir: join(dir, 'store'),
    erasedPath,
    ...(keyPath !== undefined && { keyPath }),
    random,
    clock,
    founding: rule,
  })
}

function isOnDisk({ store, servers }: CentralPeerInit): boolean {
  return store === undefined && servers === undefined
}

async function describeKeys({ dir, keyPath = join(dir, 'store.keys') }: CentralPeerInit): Promise<string> {
  const isReadable = await isOneDisk(keyPath, join(dir, 'store'))
  return isReadable
    ? 'on the disk of the store: a thief of the disk can read the store (--store-key-file)'
    : 'on another disk than the store'
}
