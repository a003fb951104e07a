/**
 * An attacker who poses as a device: a libp2p host at one loopback address, with frames of its own making. It keeps to the
 * frames of the protocol and breaks every rule that only the client keeps.
 */
import type { Session } from '@geotrace/client'
import { libp2pDialer } from '@geotrace/client/node'
import { sealRequest } from '@geotrace/core-wasm/seal'
import {
  answerToSalts,
  type Block,
  decodeSyncReply,
  encodeSaltRequest,
  encodeSyncRequest,
  hashToRosterName,
  isFederationError,
  MINUTE_MS,
  type PeerAddress,
  RELAY_PROTOCOL,
  type RowGroup,
  SALT_PROTOCOL,
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
/** The only shard of the lab's federations. */
export const SHARD = 0

export interface Intruder {
  request: Session['request']
  /** Salts in the order of `blocks`; undefined when the quota is spent at this replica. */
  salts(replica: PeerAddress, blocks: readonly Block[]): Promise<readonly Uint8Array[] | undefined>
  /** One sync under a pseudonym, with any rows. When an address has spent its frames, further syncs leave from the next one. */
  sync(userSecret: Uint8Array, groups: RowGroup[], report?: SyncKind): Promise<SyncReply>
  /** Any request under the seal of the central peer. Resolves with what the seal held. */
  sealed(request: Uint8Array): Promise<Uint8Array>
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
export async function openIntruder({ certified, federation, clock }: Lab, index = 0): Promise<Intruder> {
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
  const { parameters } = federation.manifest
  const { members, central, federation: id } = certified.roster
  const senders = frameSenders(addresses.slice(index), members)
  const sealed = (frame: Uint8Array): Promise<Uint8Array> =>
    patiently(() => {
      const { frame: outer, openReply } = sealRequest(central.seal, id, frame, systemRandom)
      return senders.send(outer, openReply)
    })
  return {
    request,
    sealed,
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
      const minute = Math.floor(clock.now() / MINUTE_MS)
      const head = { minute, userSecret, syncId: systemRandom(16), generation: 0, cursor: 0 }
      const frame = encodeSyncRequest({ ...head, report, groups }, parameters.syncRequestBytes)
      return await patiently(async () => decodeSyncReply(await sealed(frame)))
    },
    async close() {
      await session.close()
      await senders.close()
    },
  }
}

/** Sends sealed frames through one member after the other, and from the next address when all of them refuse this one. */
function frameSenders(addresses: readonly string[], members: readonly PeerAddress[]) {
  let [place, relay] = [0, 0]
  let session: Session | undefined
  return {
    async send(frame: Uint8Array, open: (answer: Uint8Array) => Uint8Array): Promise<Uint8Array> {
      for (;;) {
        session ??= await libp2pDialer({ localAddress: addresses[place]! }).open()
        try {
          return open(await session.request(members[relay]!, RELAY_PROTOCOL, frame))
        } catch (error) {
          if (!isFederationError(error, 'QUOTA_SPENT') || place === addresses.length - 1) throw error
          relay = (relay + 1) % members.length
          if (relay > 0) continue
          place++
          await session.close()
          session = undefined
        }
      }
    },
    close: async () => await session?.close(),
  }
}
