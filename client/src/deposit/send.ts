/** The one way to the central peer. PROTOCOL.md §7.2. Every batch goes to its address in the newest roster that is known. */
import {
  type CertifiedRoster,
  decodeSyncReply,
  type Manifest,
  type PeerAddress,
  peerIdToKey,
  SYNC_PROTOCOL,
  type SyncReply,
  stampMinute,
} from '@geotrace/core-wasm/wire'
import { toProvedMinute } from '../clock/clock-readings.ts'
import type { DeviceClock } from '../clock/device-clock.ts'
import type { Session } from '../dialers/dialer.ts'
import type { Batch } from './batch.ts'

export interface CentralRoute {
  readonly session: Session
  readonly manifest: Manifest
  readonly newest: CertifiedRoster | undefined
  readonly clock: DeviceClock
}

/** Throws SYNC_CONFLICT when the central peer answered another batch of this name, and what `Session.request` throws. */
export async function send({ session, manifest, newest, clock }: CentralRoute, { frame }: Batch): Promise<SyncReply> {
  const stamped = stampMinute(frame, toProvedMinute(clock))
  return decodeSyncReply(await session.request(toCentralPeer(manifest, newest), SYNC_PROTOCOL, stamped))
}

/** A roster may move the central peer. The manifest's address counts only before the first roster. */
function toCentralPeer({ central }: Manifest, newest: CertifiedRoster | undefined): PeerAddress {
  return newest?.roster.central ?? { key: peerIdToKey(central.peerId), addresses: central.addresses }
}
