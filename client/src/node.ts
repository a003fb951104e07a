/**
 * The client in Node: the same package, with a WebSocket for Node 20 and a storage that only its owner may read.
 * @module
 */
import { mkdir } from 'node:fs/promises'
import { polyfillWebSocket } from '@geotrace/core-wasm'
import type { Dialer } from './dialers/dialer.ts'
import { libp2pDialer as anyLibp2pDialer, type Libp2pDialerOptions } from './dialers/libp2p-dialer.ts'
import { levelStorage as openLevelStorage } from './storage/level-storage.ts'
import type { Storage } from './storage/storage.ts'

export * from './index.ts'

/** Opens a storage in the directory `dir`, which is made with mode 0700. Throws STORE_LOCKED, STORAGE_CORRUPT. */
export async function levelStorage(dir: string): Promise<Storage> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  return openLevelStorage(dir)
}

/** The libp2p dialer. On Node 20, too, it dials peers that offer only a WebSocket. */
export function libp2pDialer(options: Libp2pDialerOptions = {}): Dialer {
  const dialer = anyLibp2pDialer(options)
  return {
    async open() {
      if (typeof globalThis.WebSocket !== 'function') polyfillWebSocket((await import('ws')).WebSocket)
      return dialer.open()
    },
  }
}
