/**
 * The differences between the saltings on a node: the lines of a sheet, and the protocol that answers devices. PROTOCOL.md §5.
 * Seeds, parts, sheets and their agreement are the same for all saltings.
 */
import { type Protocol, SALT_PROTOCOL } from '@geotrace/core-wasm/wire'
import type { Handler } from '../net/protocol.ts'
import type { Hashes } from './secrets/ratchet.ts'
import { type SaltServiceInit, saltService } from './service.ts'
import { plainRule, type SheetRule } from './sheets/line-rules.ts'

/** The service that a node offers to devices. */
interface Service {
  readonly protocol: Protocol
  readonly handler: Handler
}

export interface NodeSalting {
  readonly rule: SheetRule
  serve(init: Omit<SaltServiceInit, 'core'>): Service
}

/** The salts of time blocks, one part, threshold 1. */
export function plainNodeSalting(core: Hashes): NodeSalting {
  return {
    rule: plainRule(core),
    serve: (init) => ({ protocol: SALT_PROTOCOL, handler: saltService({ ...init, core }) }),
  }
}
