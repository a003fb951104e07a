/**
 * A further role of a member, beside that of its own room. A command or a local federation hangs it on the node, so that no
 * role imports another one.
 */
import type { Clock, Random } from '@geotrace/core-wasm'
import type { Manifest, Signer } from '@geotrace/core-wasm/wire'
import type { Host } from '../net/protocol.ts'
import type { OpenRecords } from '../platform/file-records.ts'
import type { Log } from '../platform/log.ts'
import type { Membership } from './membership.ts'

/** The parts of a node that a further role uses. */
export interface RoleParts {
  readonly manifest: Manifest
  readonly signer: Signer
  readonly host: Host
  readonly membership: Membership
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** The directory of this node only. */
  readonly dir: string
  readonly openRecords: OpenRecords
}
export interface MemberRole {
  /** Called when the membership begins. */
  start(): void
  /** Resolves when no work of the role runs any more. */
  stop(): Promise<void>
}
export type OpenRole = (parts: RoleParts) => MemberRole
