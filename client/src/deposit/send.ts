/**
 * The one way to the central peer: every batch is sealed to its key and goes through a relay. PROTOCOL.md §7.2, §7.6. So the
 * central peer sees no address of a device, and the relay sees no content. Throws what the central peer answers under the
 * seal, and the failure of the last relay.
 */
import { FederationError, isFederationError, type Random } from '@geotrace/core-wasm'
import { sealRequest } from '@geotrace/core-wasm/seal'
import {
  type CertifiedRoster,
  decodeSyncReply,
  decodeSyncRequest,
  encodePaidFrame,
  hexToBytes,
  type Manifest,
  MINUTE_MS,
  manifestToId,
  RELAY_PROTOCOL,
  SYNC_ID_BYTES,
  type SyncReply,
  stampMinute,
  USER_SECRET_BYTES,
} from '@geotrace/core-wasm/wire'
import { toProvedMinute } from '../clock/clock-readings.ts'
import type { DeviceClock } from '../clock/device-clock.ts'
import type { Session } from '../dialers/dialer.ts'
import { type Batch, requestToBatch } from './batch.ts'
import type { Relays } from './relays.ts'

/** Relays that one frame is sent through. When four random members all fail, the device or the central peer is offline. */
const RELAYS_TRIED_MAX = 4

export interface CentralRoute {
  readonly session: Session
  readonly manifest: Manifest
  readonly rosters: { readonly newest: CertifiedRoster | undefined }
  readonly clock: DeviceClock
  readonly random: Random
  readonly relays: Relays
  /** Fetches the newest roster. */
  renew(): Promise<void>
}

/** Throws SYNC_CONFLICT when the central peer answered another batch of this name. */
export async function send(route: CentralRoute, { frame }: Batch): Promise<SyncReply> {
  const proved = toProvedMinute(route.clock)
  const minute = proved === 0 && !changesNothing(route, frame) ? await askMinute(route) : proved
  try {
    return await exchange(route, stampMinute(frame, minute))
  } catch (error) {
    if (!isFederationError(error, 'CLOCK_SKEWED')) throw error
    // The device's clock was set since the proof.
    return await exchange(route, stampMinute(frame, await askMinute(route)))
  }
}

function changesNothing({ manifest }: CentralRoute, frame: Uint8Array): boolean {
  const { report, groups } = decodeSyncRequest(frame, manifest.parameters.syncRequestBytes)
  return report.kind === 'none' && groups.length === 0
}

/** The central peer's Unix minute. The question is an empty sync of a user that nobody knows. */
export async function askMinute(route: CentralRoute): Promise<number> {
  const { manifest, random } = route
  const nobody = { userSecret: random(USER_SECRET_BYTES), syncId: random(SYNC_ID_BYTES) }
  const question = { ...nobody, minute: 0, report: { kind: 'none' as const }, generation: 0, cursor: 0, groups: [] }
  const { frame } = requestToBatch(question, manifest.parameters.syncRequestBytes)
  return Math.floor((await exchange(route, frame)).time / MINUTE_MS)
}

async function exchange(route: CentralRoute, request: Uint8Array): Promise<SyncReply> {
  return decodeSyncReply(await sendThroughRelays(route, request))
}

/**
 * Seals a request and sends it through relays. Each attempt is sealed anew. A relay that fails is left out, and an unknown
 * key is looked up once. Where the address has no frames left, a token pays.
 */
export async function sendThroughRelays(route: CentralRoute, request: Uint8Array): Promise<Uint8Array> {
  const { session, manifest, random, relays } = route
  const federation = manifestToId(manifest)
  let isRenewed = false
  let last: unknown = new FederationError('PEER_UNREACHABLE', 'the federation has no member to send through', {
    tried: 0,
  })
  for (let failed = 0; failed < RELAYS_TRIED_MAX; ) {
    const relay = relays.next()
    if (relay === undefined) break
    try {
      const { frame, openReply } = sealRequest(toSealKey(route), federation, request, random)
      const token = relays.tokenOf(relay)
      const paid = token === undefined ? frame : encodePaidFrame(token, frame)
      return openReply(await session.request(relay, RELAY_PROTOCOL, paid))
    } catch (error) {
      if (!isFederationError(error) || isFederationError(error, 'ABORTED')) throw error
      last = error
      if (isFederationError(error, 'SEAL_UNKNOWN') && !isRenewed) {
        isRenewed = true
        await route.renew()
      } else if (!isUnpaid(error) || !relays.mayRepay(relay)) {
        relays.fail(relay)
        failed++
      }
    }
  }
  throw last
}

function isUnpaid(error: FederationError): boolean {
  return isFederationError(error, 'QUOTA_SPENT') || isFederationError(error, 'TOKEN_REFUSED')
}

function toSealKey({ manifest, rosters }: CentralRoute): Uint8Array {
  return rosters.newest?.roster.central.seal ?? hexToBytes(manifest.central.seal)
}
