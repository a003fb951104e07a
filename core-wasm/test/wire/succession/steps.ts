/** Rosters without sheets and votes, one after the other, to test what `succeed` makes of changes. */
import { expect } from 'vitest'
import { testChange, testManifest, testNonceCommitments, testSigner } from '../../../src/testing/founding.ts'
import * as wire from '../../../src/wire/index.ts'

export const manifest = testManifest()
export const federation = wire.manifestToId(manifest)
export const founding = bodyOnly(wire.manifestToRoster(manifest))
/** The first epoch of the first period after the founding. */
export const FIRST = (Math.floor(founding.roster.firstEpoch / 18) + 1) * 18
/** Changes of these tests never lapse, except in tests of lapsing. */
export const UNTIL = 0xffffffff

export const key = (role: string): Uint8Array => testSigner(role).key
export const operators = (...names: string[]): string[] => names.map((name) => `operator/${name}`)
/** Five of six operators are a quorum; three can sponsor. */
export const QUORUM = operators('ash', 'birch', 'cedar', 'elm', 'fir')
export const SPONSORS = operators('ash', 'birch', 'cedar')

export const bad = (reason: RegExp) =>
  expect.objectContaining({ code: 'ROSTER_INVALID', message: expect.stringMatching(reason) })

/** A change with the signatures of these roles. */
export function change(value: wire.Change, roles: readonly string[]): Uint8Array {
  return testChange(federation, value, roles)
}

/** The join of node `node` of operator `name`, signed by both and by these roles. */
export function join(name: string, node = name, roles: readonly string[] = SPONSORS): Uint8Array {
  return change(joining(name, node), [`operator/${name}`, `peer/${node}`, ...roles])
}

export function joining(name: string, node = name): wire.Change & { kind: 'join' } {
  const addresses = ['/ip4/127.0.0.1/tcp/4999']
  return {
    kind: 'join',
    until: UNTIL,
    operator: name,
    operatorKey: key(`operator/${name}`),
    key: key(`peer/${node}`),
    addresses,
  }
}

export const leave = (role: string, signers: readonly string[] = [role]): Uint8Array =>
  change({ kind: 'leave', until: UNTIL, key: key(role) }, signers)
export const expel = (role: string, signers: readonly string[] = QUORUM): Uint8Array =>
  change({ kind: 'expel', until: UNTIL, key: key(role) }, signers)
export const rotate = (from: string, to: string, signers: readonly string[] = [from, to]): Uint8Array =>
  change({ kind: 'rotate', until: UNTIL, from: key(from), to: key(to) }, signers)
export const lied = (role: string): Uint8Array =>
  change({ kind: 'lied', until: UNTIL, key: key(role), evidence: new Uint8Array(32).fill(7) }, [])

export interface Choice {
  firstEpoch?: number
  /** In any order. */
  changes?: readonly Uint8Array[]
  /** By default those of all operators when a node waits for a rank. */
  commitments?: wire.Roster['commitments']
  reveals?: wire.Roster['reveals']
}

export function sorted(changes: readonly Uint8Array[]): Uint8Array[] {
  return [...changes].sort((a, b) => (wire.bytesToHex(a) < wire.bytesToHex(b) ? -1 : 1))
}

/** The roster that follows, decoded from its bytes. */
export function step(previous: wire.CertifiedRoster, choice: Choice = {}) {
  const { firstEpoch = (Math.floor(previous.roster.firstEpoch / 18) + 1) * 18, reveals = [] } = choice
  const changes = sorted(choice.changes ?? [])
  const make = (commitments: wire.Roster['commitments']) =>
    wire.succeed(previous, { firstEpoch, changes, commitments, reveals, sheets: [] })
  if (choice.commitments !== undefined) return bodyOnly(make(choice.commitments))
  const bare = make([])
  return bodyOnly(bare.admitted.length > 0 ? make(testNonceCommitments(previous)) : bare)
}

function bodyOnly(roster: wire.Roster): wire.CertifiedRoster {
  return wire.bodyToCertified(wire.encodeRoster(roster), [], [])
}

/** The names of peers instead of their keys. */
export function nodesOf(peers: readonly wire.RosterPeer[], names: readonly string[]): string[] {
  return peers.map((peer) => names.find((name) => wire.equalBytes(key(`peer/${name}`), peer.key)) ?? 'somebody')
}
