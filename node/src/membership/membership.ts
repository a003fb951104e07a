/**
 * A peer's part in the federation: its rosters, its vote, the founding, the roster protocol. PROTOCOL.md §4.
 * Salt nodes and the central peer build on it alike; only salt nodes bring sheets.
 */
import type { Clock } from '@geotrace/core-wasm'
import { FederationError, keyToPeerId, type Manifest, manifestToId, ROSTER_PROTOCOL } from '@geotrace/core-wasm/wire'
import type { Log } from '../log.ts'
import type { Host } from '../net/protocol.ts'
import { founding, type SheetSource } from './founding.ts'
import { nativeSigner } from './native-signer.ts'
import { manifestToPeers, type Peer, type Peers } from './peers.ts'
import type { Records } from './records.ts'
import { openRosterBook, type RosterBook } from './roster-book.ts'
import { rosterService } from './roster-service.ts'
import { createVoter } from './voter.ts'

export interface MembershipInit {
  manifest: Manifest
  host: Host
  /** Of this federation only: `openMembershipRecords` sees to it. */
  records: Records
  /** Known already, or opened here from `records`. */
  book?: RosterBook
  clock: Clock
  log: Log
  /** 32-byte secret of this peer's operator, if the operator votes here. */
  operatorSecret?: Uint8Array
  sheets?: SheetSource
}
export interface Membership {
  readonly peers: Peers
  readonly book: RosterBook
  /** Serves the roster protocol and runs the first founding round. */
  start(): Promise<void>
  stop(): void
}

/** Throws MANIFEST_INVALID, ROSTER_INVALID, STORAGE_CORRUPT. */
export async function createMembership(init: MembershipInit): Promise<Membership> {
  const { manifest, host, records, clock, log, operatorSecret, sheets } = init
  const peers = manifestToPeers(manifest)
  const self = assertPeer(manifest, peers, host.key)
  const book = init.book ?? (await openRosterBook(manifest, records))
  const voter = operatorSecret === undefined ? undefined : createVoter(manifest, nativeSigner(operatorSecret), records)
  if (voter !== undefined && voter.operator !== self.operator)
    refuse('operators', 'the operator key is not that of this peer')
  const effort = founding({ manifest, peers, host, book, clock, log, voter, sheets })
  const signedSheets = (): ReturnType<SheetSource['signedSheets']> => sheets?.signedSheets() ?? []
  return {
    peers,
    book,
    async start() {
      await host.serve(
        ROSTER_PROTOCOL,
        rosterService({ peers, book, clock, signedSheets, voter, onPeer: () => effort.nudge() }),
      )
      await effort.start()
    },
    stop: () => effort.stop(),
  }
}

/** The peer of the manifest with this key. Throws MANIFEST_INVALID. */
export function assertPeer(manifest: Manifest, peers: Peers, key: Uint8Array): Peer {
  const peer = peers.withKey(key)
  if (peer === undefined) refuse('members', `${manifest.name} has no peer ${keyToPeerId(key)}`)
  return peer
}

/** A directory serves one federation for life: votes and sheets of another must not be taken for this one's. */
export async function assertSameFederation(manifest: Manifest, records: Records): Promise<void> {
  const id = manifestToId(manifest)
  const known = await records.get('federation')
  if (known === undefined) await records.put('federation', id)
  else if (Buffer.compare(known, id) !== 0) refuse('founding', 'this directory belongs to another federation')
}

function refuse(path: string, reason: string): never {
  throw new FederationError('MANIFEST_INVALID', `federation.json: ${path}: ${reason}`, { path, reason })
}
