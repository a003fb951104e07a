/**
 * Answers /geotrace/relay/1: passes a sealed sync of any device on to the central peer, unchanged. PROTOCOL.md §7.6. The relay
 * learns address, time and size class; it can open neither the frame nor the reply. A token pays for a frame in the place of
 * the address. Throws MESSAGE_MALFORMED, VERSION_UNKNOWN, NOT_ALLOWED, TOKEN_REFUSED, QUOTA_SPENT, FORBIDDEN, BUSY, and what
 * the central peer answers in clear.
 */
import type { Clock } from '@geotrace/core-wasm'
import {
  byteReader,
  FederationError,
  isFederationError,
  type Manifest,
  openPaidFrame,
  peerIdToKey,
  SEALED_FRAME_BYTES,
  SEALED_PROTOCOL,
  throwRefusal,
} from '@geotrace/core-wasm/wire'
import type { Peers } from '../membership/peers.ts'
import type { Handler, Host } from '../net/protocol.ts'
import type { TokenCheck } from '../tokens/token-check.ts'
import { frameBounds } from './frame-bounds.ts'
import { paidFrames } from './paid-frames.ts'

/** The host answers within 5 s; the rest is for the way to the device. */
const CENTRAL_MS = 4_500
/** A device asks another relay at once, and this one again after that. */
const AGAIN_MS = 5_000

interface RelayInit {
  readonly manifest: Manifest
  readonly host: Pick<Host, 'request'>
  readonly peers: Pick<Peers, 'withKey'>
  readonly clock: Clock
  /** Checks a token of the kind `relay`. */
  readonly checkToken: TokenCheck
  /** Whether devices at this IP address, 4 or 16 bytes, may send. */
  allows(ip: Uint8Array): boolean
}

export function relayService({ manifest, host, peers, clock, checkToken, allows }: RelayInit): Handler {
  const { syncRequestBytes, devicesPerAddress } = manifest.parameters
  const centralKey = peerIdToKey(manifest.central.peerId)
  const lengths = new Set(syncRequestBytes.map((size) => size + SEALED_FRAME_BYTES))
  const bounds = frameBounds({ clock, devices: devicesPerAddress })
  const paid = paidFrames(clock)

  return async (frame, from) => {
    const { sealed, token } = openPaidFrame(frame)
    if (!lengths.has(sealed.length))
      throw new FederationError('MESSAGE_MALFORMED', `a frame of ${sealed.length} bytes is of no size class`, { at: 0 })
    if (from.ip !== undefined && !allows(from.ip))
      throw new FederationError('NOT_ALLOWED', 'the operator of this node allows other addresses: send through another')
    if (token === undefined) bounds.admit(from)
    else paid.admit(checkToken(token, clock.now()))
    const central = peers.withKey(centralKey)
    if (central === undefined) throw busy('the federation has no central peer now')
    const reply = await orBusy(host.request(central, SEALED_PROTOCOL, sealed, { withinMs: CENTRAL_MS }))
    if (reply[0] !== 0) await orBusy(Promise.resolve().then(() => throwRefusal(byteReader(reply))))
    return reply
  }
}

/** A central peer that cannot be reached, or that failed inside, is BUSY to the device. */
async function orBusy<T>(task: Promise<T>): Promise<T> {
  try {
    return await task
  } catch (error) {
    const isGone = ['PEER_UNREACHABLE', 'PEER_TIMEOUT', 'MESSAGE_TOO_LARGE'].some((code) =>
      isFederationError(error, code as 'PEER_TIMEOUT'),
    )
    throw isGone ? busy('the central peer does not answer', error) : error
  }
}

function busy(reason: string, cause?: unknown): FederationError<'BUSY'> {
  return new FederationError('BUSY', `${reason}: send through another relay`, { retryAfterMs: AGAIN_MS }, { cause })
}
