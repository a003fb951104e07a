/** The routes that back up the store of a running central peer. node/CENTRAL.md "Control". Throws COMMAND_INVALID, BUSY. */
import { isAbsolute } from 'node:path'
import { busy, type ErrorCode, FederationError, isFederationError } from '@geotrace/core-wasm/wire'
import type { AdminRoutes } from '../../../admin/server.ts'
import type { CentralPeer } from '../../../central/peer.ts'
import { toCode } from '../../../platform/disk-error.ts'

/** A copy of millions of rows takes longer than a request may, so the caller asks for its progress. */
export interface BackupProgress {
  readonly state: 'none' | 'running' | 'done' | 'failed'
  readonly code?: ErrorCode
  readonly message?: string
}

export function backupRoutes(peer: Pick<CentralPeer, 'backUp'>): AdminRoutes {
  let progress: BackupProgress = { state: 'none' }
  return {
    'GET /backup': () => progress,
    'POST /backup': (body) => {
      const to = (body as { to?: unknown } | undefined)?.to
      if (typeof to !== 'string' || !isAbsolute(to)) {
        const reason = '"to" expected an absolute path'
        throw new FederationError('COMMAND_INVALID', reason, { reason })
      }
      if (progress.state === 'running') throw busy()
      progress = { state: 'running' }
      peer.backUp(to).then(
        () => {
          progress = { state: 'done' }
        },
        (error: unknown) => {
          const code = isFederationError(error) ? error.code : 'STORAGE_CORRUPT'
          progress = { state: 'failed', code, message: isFederationError(error) ? error.message : toCode(error) }
        },
      )
      return progress
    },
  }
}
