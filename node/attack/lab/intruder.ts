/**
 * An attacker who poses as a device: a libp2p host at one loopback address, with frames of its own making. It keeps to the
 * frames of the protocol and breaks every rule that only the client keeps.
 */
import type { Session } from '@geotrace/client'
import { libp2pDialer } from '@geotrace/client/node'
import {
  answerToSalts,
  type Block,
  decodeSyncReply,
  encodeSaltRequest,
  encodeSyncRequest,
  hashToRosterName,
  isFederationError,
  type PeerAddress,
  type Protocol,
  peerIdToKey,
  type RowGroup,
  SALT_PROTOCOL,
  SYNC_REPLY_MAX_BYTES,
  SYNC_REQUEST_MAX_BYTES,
  type SyncKind,
  type SyncReply,
  shardToReplicas,
} from '@geotrace/core-wasm/wire'
import { loopbackAddresses } from '../../src/local/loopback.ts'
import { systemRandom } from '../../src/platform/random.ts'
import type { Lab } from './lab.ts'
import { PASSING } from './residents.ts'

/** Peers have block 1 of the loopback, residents block 2. */
const BLOCK = 3
const INTRUDERS_MAX = 200
/** A peer closes a connection that sent some two hundred requests, so an attacker opens the next one before. */
const REQUESTS_PER_SESSION = 60
const TRIES_MAX = 50
/** A sync that goes straight to the central peer. */
export const DIRECT_SYNC: Protocol = {
  id: '/geotrace/sync/1',
  requestMaxBytes: SYNC_REQUEST_MAX_BYTES,
  replyMaxBytes: SYNC_REPLY_MAX_BYTES,
}
/** The only shard of the lab's federations. */
export const SHARD = 0

export interface Intruder {
  request: Session['request']
  /** Salts in the order of `blocks`; undefined when the quota is spent at this replica. */
  salts(replica: PeerAddress, blocks: readonly Block[]): Promise<readonly Uint8Array[] | undefined>
  /** One sync under a pseudonym, with any rows. */
  sync(userSecret: Uint8Array, groups: RowGroup[], report?: SyncKind): Promise<SyncReply>
  close(): Promise<void>
}

export function replicasOf({ certified }: Pick<Lab, 'certified'>): readonly PeerAddress[] {
  return shardToReplicas(certified.roster, SHARD)
}

/** Repeats a request to a peer that is busy or slow, as on a machine with much other work. */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask()
    } catch (error) {
      const isPassing = PASSING.some((code) => isFederationError(error, code))
      if (!isPassing || tries === TRIES_MAX) throw error
    }
  }
}

/** The `index`-th attacker's address, 0 to 199. */
export async function openIntruder({ certified, federation }: Lab, index = 0): Promise<Intruder> {
  const addresses = await loopbackAddresses(BLOCK, INTRUDERS_MAX)
  const dialer = libp2pDialer({ localAddress: addresses[index]! })
  let [session, requests] = [await dialer.open(), 0]
  const request: Session['request'] = async (...args) => {
    if (requests++ >= REQUESTS_PER_SESSION) {
      await session.close()
      ;[session, requests] = [await dialer.open(), 1]
    }
    return session.request(...args)
  }
  const { central, parameters } = federation.manifest
  return {
    request,
    async salts(replica, blocks) {
      const asked = encodeSaltRequest({ roster: hashToRosterName(certified.hash), shard: SHARD, blocks: [...blocks] })
      try {
        return await patiently(async () => {
          const answer = await request(replica, SALT_PROTOCOL, asked)
          return answerToSalts(answer, certified, SHARD, [...blocks], replica.key).salts
        })
      } catch (error) {
        if (isFederationError(error, 'QUOTA_SPENT')) return undefined
        throw error
      }
    },
    async sync(userSecret, groups, report = { kind: 'none' }) {
      const head = { minute: 0, userSecret, syncId: systemRandom(16), generation: 0, cursor: 0 }
      const frame = encodeSyncRequest({ ...head, report, groups }, parameters.syncRequestBytes)
      const peer = { key: peerIdToKey(central.peerId), addresses: central.addresses }
      return await patiently(async () => decodeSyncReply(await request(peer, DIRECT_SYNC, frame)))
    },
    close: () => session.close(),
  }
}
