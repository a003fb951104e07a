/**
 * How far a node is on its way into the federation. PROTOCOL.md §4.9: one roster admits it, the next ranks it, the third
 * gives it shards. Pure.
 */
import {
  type CertifiedRoster,
  decodeChange,
  EPOCH_MS,
  equalBytes,
  nextFirstEpoch,
  type Roster,
  type SignedChange,
  sponsorQuorum,
} from '@geotrace/core-wasm/wire'

/** Rosters from the one that admits a node to the one that gives it shards. */
const STEPS_TO_SERVE = 2

/** A roster by its height, and the time at which it begins. */
export interface RosterMoment {
  readonly height: number
  /** Unix ms. */
  readonly fromMs: number
}
export interface Joining {
  /** Names of the operators that endorsed the application, and how many must; undefined when none is known here. */
  readonly endorsed: { readonly by: readonly string[]; readonly needs: number } | undefined
  readonly admitted: RosterMoment | undefined
  readonly ranked: RosterMoment | undefined
  /** The newest roster after the admission, when it had too few opened nonces and therefore ranked nobody. */
  readonly passedBy: RosterMoment | undefined
  /** The first roster with this node as a replica. Expected while it is not certified, unknown while endorsements miss. */
  readonly serves: (RosterMoment & { readonly isExpected: boolean }) | undefined
}

interface JoiningInit {
  key: Uint8Array
  /** Certified rosters, ascending. */
  rosters: readonly CertifiedRoster[]
  /** Changes that wait for a roster. */
  pending: readonly SignedChange[]
  nowMs: number
}

export function toJoining({ key, rosters, pending, nowMs }: JoiningInit): Joining {
  const all = rosters.map(({ roster }) => roster)
  const newest = all.at(-1)
  const names = (list: 'admitted' | 'newcomers' | 'members') => (roster: Roster) =>
    roster[list].some((peer) => equalBytes(peer.key, key))
  const admitted = all.find(names('admitted'))
  const ranked = all.find(names('newcomers'))
  const member = all.find(names('members'))
  const application = pending.find((signed) => isApplication(signed, key)) ?? madeApplication(all, key)
  const endorsed = newest && application && toEndorsed(application, admissionOf(all, key) ?? newest)
  const left = stepsLeft(newest, { admitted, ranked, isEndorsed: isComplete(endorsed) })
  return {
    endorsed,
    admitted: admitted && toMoment(admitted),
    ranked: ranked && toMoment(ranked),
    passedBy: isPassedBy(newest, admitted, ranked ?? member) ? toMoment(newest!) : undefined,
    serves:
      member !== undefined
        ? { ...toMoment(member), isExpected: false }
        : newest && left !== undefined
          ? { ...momentAfter(newest, left, nowMs), isExpected: true }
          : undefined,
  }
}

function isComplete(endorsed: Joining['endorsed']): boolean {
  return endorsed !== undefined && endorsed.by.length >= endorsed.needs
}

function isPassedBy(newest: Roster | undefined, admitted: Roster | undefined, ranked: Roster | undefined): boolean {
  return newest !== undefined && admitted !== undefined && ranked === undefined && newest.height > admitted.height
}

/** Rosters that must still follow the newest one; undefined while endorsements miss. */
function stepsLeft(
  newest: Roster | undefined,
  { admitted, ranked, isEndorsed }: { admitted: Roster | undefined; ranked: Roster | undefined; isEndorsed: boolean },
): number | undefined {
  if (newest === undefined) return undefined
  if (ranked !== undefined) return Math.max(1, ranked.height + 1 - newest.height)
  // A roster without enough opened nonces ranks nobody, and the next one does.
  if (admitted !== undefined) return Math.max(STEPS_TO_SERVE, admitted.height + STEPS_TO_SERVE - newest.height)
  return isEndorsed ? STEPS_TO_SERVE + 1 : undefined
}

function momentAfter(newest: Roster, steps: number, nowMs: number): RosterMoment {
  const firstEpoch = nextFirstEpoch(newest, nowMs) + (steps - 1) * newest.periodEpochs
  return { height: newest.height + steps, fromMs: firstEpoch * EPOCH_MS }
}

function toMoment({ height, firstEpoch }: Roster): RosterMoment {
  return { height, fromMs: firstEpoch * EPOCH_MS }
}

function isApplication({ change }: SignedChange, key: Uint8Array): boolean {
  return change.kind === 'join' && equalBytes(change.key, key)
}

function madeApplication(rosters: readonly Roster[], key: Uint8Array): SignedChange | undefined {
  return rosters.flatMap(({ changes }) => changes.map(decodeChange)).find((signed) => isApplication(signed, key))
}

/** The roster before the one that admitted the node; its operators endorsed the application. */
function admissionOf(rosters: readonly Roster[], key: Uint8Array): Roster | undefined {
  const at = rosters.findIndex(({ admitted }) => admitted.some((peer) => equalBytes(peer.key, key)))
  return at > 0 ? rosters[at - 1] : undefined
}

function toEndorsed({ change, signatures }: SignedChange, { operators }: Roster): Joining['endorsed'] {
  const by = operators.filter((item) => signatures.some(({ key }) => equalBytes(key, item.key))).map(({ name }) => name)
  const isKnown = change.kind === 'join' && operators.some(({ key }) => equalBytes(key, change.operatorKey))
  return { by, needs: isKnown ? 0 : sponsorQuorum(operators.length) }
}
