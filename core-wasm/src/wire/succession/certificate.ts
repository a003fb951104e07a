/**
 * Checks what certifies a roster: sheets signed by replicas of each shard, and the votes of a quorum of the operators of
 * the roster before. PROTOCOL.md §4.6. Throws ROSTER_INVALID.
 */

import { KEY_BYTES } from '../constants.ts'
import { equalBytes } from '../encoding/bytes.ts'
import { isValidSignature } from '../encoding/signature.ts'
import { invalid } from '../federation/invalid-roster.ts'
import { type Manifest, manifestToId } from '../federation/manifest-form.ts'
import {
  bodyToHash,
  type CertifiedRoster,
  encodeRoster,
  type Roster,
  type SheetSignatures,
} from '../federation/roster.ts'
import {
  isVacant,
  manifestToRoster,
  quorum,
  shardToReplicas,
  sheetEpochs,
  sheetQuorum,
} from '../federation/roster-rules.ts'
import { sheetContent } from '../messages/sheet.ts'
import type { Succession } from './draft.ts'
import type { RosterStep } from './roster-step.ts'
import { succeed } from './succession.ts'
import { isValidVote } from './vote.ts'

/** The origin of a roster: the manifest at founding, later the roster before. */
export interface Predecessor {
  /** The federation id or the roster's hash. */
  hash: Uint8Array
  /** The operators who vote. */
  operators: readonly { name: string; key: Uint8Array }[]
  /** The body that follows with this choice. Throws ROSTER_INVALID. */
  expect(choice: Succession): Roster
}

export function manifestToPredecessor(manifest: Manifest): Predecessor {
  const founding = manifestToRoster(manifest)
  return {
    hash: manifestToId(manifest),
    operators: founding.operators,
    expect({ firstEpoch, changes, commitments, reveals, sheets }) {
      if (firstEpoch !== founding.firstEpoch)
        invalid(`expected first epoch ${founding.firstEpoch} of the founding, got another epoch, ${firstEpoch}`)
      if (changes.length + commitments.length + reveals.length > 0)
        invalid('expected no changes, commitments and reveals: the founding changes nothing')
      return { ...founding, sheets: [...sheets] }
    },
  }
}

export function rosterToPredecessor(previous: CertifiedRoster): Predecessor {
  return { hash: previous.hash, operators: previous.roster.operators, expect: (choice) => succeed(previous, choice) }
}

/** Throws ROSTER_INVALID unless the roster follows from `previous` and replicas signed every sheet. */
export function assertProposal(previous: Predecessor, { body, roster, sheetSignatures }: CertifiedRoster): void {
  if (!equalBytes(encodeRoster(previous.expect(roster)), body))
    invalid('expected the body that its choice makes, got another: it does not follow from the roster before')
  if (roster.sheets.length !== roster.shards || sheetSignatures.length !== roster.shards) {
    invalid(`it has ${roster.sheets.length} sheets for ${roster.shards} shards`)
  }
  for (const [shard, signatures] of sheetSignatures.entries()) assertSheetSigned(roster, shard, signatures)
}

/**
 * The roster that a step makes, with the votes of a quorum. It has no signatures under its sheets, because the voters
 * verified them. A second check on the device adds nothing: a dishonest quorum could appoint its own replicas.
 * Throws ROSTER_INVALID.
 */
export function stepToCertified(previous: Predecessor, step: RosterStep): CertifiedRoster {
  if (!equalBytes(step.previous, previous.hash)) invalid(`height ${step.height} follows another roster than ours`)
  // Count the votes before the signatures of the changes are checked, which costs more.
  const need = quorum(previous.operators.length)
  if (step.votes.length !== need) invalid(`expected ${need} votes, got ${step.votes.length} votes`)
  const roster = previous.expect(step)
  if (roster.height !== step.height) invalid(`expected height ${roster.height} next, got ${step.height}`)
  if (roster.sheets.length !== roster.shards) {
    invalid(`it has ${roster.sheets.length} sheets for ${roster.shards} shards`)
  }
  const body = encodeRoster(roster)
  const certified = { roster, hash: bodyToHash(body), body, sheetSignatures: [], votes: step.votes }
  assertVotes(previous, certified)
  return certified
}

/** Checks a roster as a proposal, and the votes of a quorum of the operators before. Throws ROSTER_INVALID. */
export function assertCertified(previous: Predecessor, certified: CertifiedRoster): void {
  assertProposal(previous, certified)
  assertVotes(previous, certified)
}

/**
 * Throws ROSTER_INVALID unless replicas of the shard signed its sheet. At founding a majority must sign. Later
 * `threshold` signatures are enough, and a vacant shard has none. The voters judge whether more were possible
 * (PROTOCOL.md §4.7).
 * More signatures than a majority would only make the certificate larger.
 */
function assertSheetSigned(roster: Roster, shard: number, signatures: SheetSignatures): void {
  const root = roster.sheets[shard] ?? invalid(`expected a sheet for shard ${shard}, got none`)
  const { federation, previous, firstEpoch } = roster
  const content = sheetContent({ federation, previous, shard, firstEpoch, epochs: sheetEpochs(roster), root })
  const replicas = shardToReplicas(roster, shard)
  const signers = new Set<number>()
  const most = sheetQuorum(replicas.length)
  if (signatures.length > most)
    invalid(`sheet ${shard} has ${signatures.length} signatures, more than ${most} signatures`)
  for (const [index, signature] of signatures) {
    const member = roster.members[index]
    if (member === undefined || !replicas.includes(member))
      invalid(`sheet ${shard}: expected replicas as signers, got member ${index}, a stranger`)
    if (!isValidSignature(member.key, 'geotrace/sheet', content, signature))
      invalid(`sheet ${shard}: the signature of member ${index} fails`)
    signers.add(index)
  }
  const need = roster.height === 0 ? most : isVacant(roster, shard) ? 0 : roster.threshold
  if (signers.size < need) invalid(`sheet ${shard} has ${signers.size} of ${need} signatures`)
}

function assertVotes({ operators }: Predecessor, certified: CertifiedRoster): void {
  const voters = new Set<number>()
  const need = quorum(operators.length)
  if (certified.votes.length > need)
    invalid(`expected ${need} votes, got ${certified.votes.length}: more than the ${need} it needs`)
  for (const vote of certified.votes) {
    const key = operators[vote.operator]?.key
    if (key === undefined || key.length !== KEY_BYTES)
      invalid(`expected votes of the operators before, got operator ${vote.operator}, a stranger`)
    if (!isValidVote({ ...certified.roster, hash: certified.hash }, key, vote))
      invalid(`the vote of operator ${vote.operator} has a bad signature`)
    voters.add(vote.operator)
  }
  if (voters.size < need) invalid(`expected ${need} voters, got ${voters.size} of the ${need} votes it needs`)
}
