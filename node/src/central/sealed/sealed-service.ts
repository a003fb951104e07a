/**
 * Answers /geotrace/sealed/1: opens a sealed sync or issuance of tokens that a member passed on, and seals the reply to the
 * device. PROTOCOL.md §7.6.
 * Replies and refusals of the sync have one size and leave at the end of a slot, so that the relay learns nothing from
 * them. In clear go only the errors of a frame that does not open, and BUSY when too many replies wait. Throws FORBIDDEN,
 * SEAL_UNKNOWN, VERSION_UNKNOWN, MESSAGE_MALFORMED, BUSY.
 */
import type { Clock, Random } from '@geotrace/core-wasm'
import { openRequest, type SealKeys } from '@geotrace/core-wasm/seal'
import {
  encodeRefusal,
  errorToRefusal,
  FederationError,
  ISSUANCE_FORM,
  type Manifest,
  manifestToId,
} from '@geotrace/core-wasm/wire'
import type { Peers } from '../../membership/peers.ts'
import type { Handler } from '../../net/protocol.ts'
import { toCode } from '../../platform/disk-error.ts'
import type { Log } from '../../platform/log.ts'
import type { IssuanceService } from '../enrolment/issuance-service.ts'
import type { SyncService } from '../sync/service.ts'
import { replySlots } from './reply-slots.ts'

export interface SealedCounters {
  /** Frames of members that no key opens. */
  sealUnknown: number
  /** Syncs refused under the seal. */
  sealedRefusals: number
}
export interface SealedService {
  readonly handle: Handler
  readonly counters: Readonly<SealedCounters>
}
interface SealedServiceInit {
  readonly manifest: Manifest
  readonly peers: Pick<Peers, 'withKey'>
  readonly keys: () => readonly SealKeys[]
  readonly sync: Pick<SyncService, 'answer'>
  readonly issuance: Pick<IssuanceService, 'answer'>
  /** Waits for the ends of reply slots. */
  readonly timer: Pick<Clock, 'setTimer'>
  readonly random: Random
  readonly log: Log
}

export function sealedService(init: SealedServiceInit): SealedService {
  const { manifest, peers, keys, sync, issuance, timer, random, log } = init
  const federation = manifestToId(manifest)
  const { syncReplyBytes } = manifest.parameters
  const counters: SealedCounters = { sealUnknown: 0, sealedRefusals: 0 }
  const slots = replySlots(timer)

  const open = (frame: Uint8Array) => {
    try {
      return openRequest(keys(), federation, frame)
    } catch (error) {
      counters.sealUnknown++
      throw error
    }
  }
  const answer = async (request: Uint8Array, relay: Uint8Array): Promise<Uint8Array> => {
    try {
      return await (request[0] === ISSUANCE_FORM ? issuance.answer(request) : sync.answer(request, relay))
    } catch (error) {
      counters.sealedRefusals++
      if (!(error instanceof FederationError)) log.error('sealed.failed', { code: toCode(error) })
      return encodeRefusal(errorToRefusal(error))
    }
  }
  return {
    counters,
    async handle(frame, { key }) {
      const relay = peers.withKey(key)
      if (relay === undefined || relay.role === 'central')
        throw new FederationError('FORBIDDEN', 'sealed syncs come from members only: send them to a member')
      const opened = open(frame)
      return await slots.run(async () =>
        opened.sealReply(await answer(opened.request, relay.key), syncReplyBytes, random),
      )
    },
  }
}
