/**
 * The honest status of a device: whether its hours can be compared, what is missing, and the one step that helps. README
 * "The status of the device". Pure: the same situation gives the same status. A fact that is not known never counts as good.
 */
import { HOUR_MS, MINUTE_MS } from '@geotrace/core-wasm/wire'
import type { SeenFixes } from './seen-fixes.ts'

/** The platform's answer about location. `unknown`: the platform cannot tell. */
export type LocationPermission = 'granted' | 'prompt' | 'denied' | 'unknown'

/** An epoch with deposited hashes, and how many minutes of it they cover, in steps of five. */
export interface ComparedEpoch {
  /** PROTOCOL.md §3: 80 minutes, from `epoch` × 80 minutes after 1970. */
  epoch: number
  minutes: number
}

/** All facts that the status depends on. Times are Unix ms of the corrected clock. */
export interface Situation extends SeenFixes {
  nowMs: number
  location: LocationPermission
  mayRecord: boolean
  mayDeposit: boolean
  isPaused: boolean
  isErasing: boolean
  isHomeKnown: boolean
  /** Hashed fixes that wait until home is known or the night is over. */
  fixesHeld: number
  /** Fixes that wait for salts, and when the oldest of them was recorded. */
  fixesWaiting: number
  oldestWaitingMs: number | undefined
  /** When a sync last lost fixes, and how many. */
  lostMs: number | undefined
  fixesLost: number
  lastSyncMs: number | undefined
  isClockOff: boolean
  /** The relay of the last sync replicates a shard of it, so one node knows address, time and shard. */
  isRelayShared: boolean
  salting: 'plain' | 'threshold'
  /** Every peer of the federation runs on this machine. */
  isLocal: boolean
  /** The federation has tokens, and this device is not enrolled for them. */
  isEnrolmentMissing: boolean
  /** Epochs of which the central peer acknowledged hashes, ascending. */
  compared: readonly ComparedEpoch[]
  /** Exposures that the user neither dismissed nor archived. */
  exposures: number
}

/** `not-protected`: nothing new is compared. `partly`: something is missing. `at-risk`: there is an exposure. */
export type ProtectionState = 'protected' | 'partly' | 'not-protected' | 'at-risk'

/** Names are stable within a major version. The first group stops protection, the second weakens it. */
export const PROTECTION_REASONS = [
  'erasing',
  'no-consent-record',
  'paused',
  'location-denied',
  'location-not-asked',
  'no-consent-deposit',
  'only-inaccurate',
  'no-recent-position',
  'home-unknown',
  'sync-overdue',
  'never-synced',
  'nothing-compared',
  'fixes-lost',
  'clock-off',
  'location-unknown',
  'not-enrolled',
  'weak-salting',
  'relay-shared',
] as const
export type ProtectionReason = (typeof PROTECTION_REASONS)[number]

export const PROTECTION_ACTIONS = [
  'see-exposures',
  'agree',
  'resume',
  'allow-location',
  'mark-home',
  'sync-now',
  'set-clock',
  'go-outside',
  'enrol',
] as const
export type ProtectionAction = (typeof PROTECTION_ACTIONS)[number]

export interface Protection {
  state: ProtectionState
  /** Most important first; empty when nothing is missing. */
  reasons: ProtectionReason[]
  /** The one step that helps most; undefined when only time helps. */
  action: ProtectionAction | undefined
  /** How long this device was where the central peer can compare, ms. Good news holds for this time only. */
  comparedMs: number
  situation: Situation
}

/** A receiver gives a fix every few minutes. After an hour without one, nothing is being recorded. */
const POSITION_MAX_AGE_MS = HOUR_MS
/** A client aims to sync hourly, and salts are gone after three hours. */
const SYNC_MAX_AGE_MS = 3 * HOUR_MS
/** A loss is shown for a day. */
const LOST_SHOWN_MS = 24 * HOUR_MS

const STOPPING: ReadonlySet<ProtectionReason> = new Set([
  'erasing',
  'no-consent-record',
  'paused',
  'location-denied',
  'location-not-asked',
  'no-consent-deposit',
  'only-inaccurate',
  'never-synced',
  'nothing-compared',
])

const ACTIONS: Readonly<Record<ProtectionReason, ProtectionAction | undefined>> = {
  erasing: 'sync-now',
  'no-consent-record': 'agree',
  paused: 'resume',
  'location-denied': 'allow-location',
  'location-not-asked': 'allow-location',
  'no-consent-deposit': 'agree',
  'only-inaccurate': 'go-outside',
  'no-recent-position': undefined,
  'home-unknown': 'mark-home',
  'sync-overdue': 'sync-now',
  'never-synced': 'sync-now',
  'nothing-compared': undefined,
  'fixes-lost': undefined,
  'clock-off': 'set-clock',
  'location-unknown': undefined,
  'not-enrolled': 'enrol',
  'weak-salting': undefined,
  'relay-shared': undefined,
}

export function situationToProtection(situation: Situation): Protection {
  const reasons = PROTECTION_REASONS.filter((reason) => isGiven(reason, situation))
  const isStopped = reasons.some((reason) => STOPPING.has(reason))
  const state =
    situation.exposures > 0 ? 'at-risk' : isStopped ? 'not-protected' : reasons.length > 0 ? 'partly' : 'protected'
  return {
    state,
    reasons,
    action:
      state === 'at-risk'
        ? 'see-exposures'
        : reasons.map((reason) => ACTIONS[reason]).find((item) => item !== undefined),
    comparedMs: situation.compared.reduce((sum, { minutes }) => sum + minutes * MINUTE_MS, 0),
    situation,
  }
}

function isGiven(reason: ProtectionReason, situation: Situation): boolean {
  const { nowMs, location, positionMs, inaccurateMs, lastSyncMs, oldestWaitingMs, lostMs } = situation
  const isRecent = isWithin(positionMs, POSITION_MAX_AGE_MS, nowMs)
  const isInaccurate = isWithin(inaccurateMs, POSITION_MAX_AGE_MS, nowMs)
  switch (reason) {
    case 'erasing':
      return situation.isErasing
    case 'no-consent-record':
      return !situation.mayRecord
    case 'paused':
      return situation.isPaused
    case 'location-denied':
      return location === 'denied'
    case 'location-not-asked':
      return location === 'prompt'
    case 'no-consent-deposit':
      return !situation.mayDeposit
    case 'only-inaccurate':
      return isInaccurate && !isRecent
    case 'no-recent-position':
      return !isRecent && !isInaccurate
    case 'home-unknown':
      return !situation.isHomeKnown && situation.fixesHeld > 0
    case 'sync-overdue':
      return (
        (lastSyncMs !== undefined && !isWithin(lastSyncMs, SYNC_MAX_AGE_MS, nowMs)) ||
        (oldestWaitingMs !== undefined && !isWithin(oldestWaitingMs, SYNC_MAX_AGE_MS, nowMs))
      )
    case 'never-synced':
      return lastSyncMs === undefined
    case 'nothing-compared':
      return situation.compared.length === 0
    case 'fixes-lost':
      return isWithin(lostMs, LOST_SHOWN_MS, nowMs)
    case 'clock-off':
      return situation.isClockOff
    case 'location-unknown':
      return location === 'unknown' && !isRecent
    case 'not-enrolled':
      return situation.isEnrolmentMissing
    case 'weak-salting':
      return situation.salting === 'plain' && !situation.isLocal
    case 'relay-shared':
      return situation.isRelayShared && !situation.isLocal
  }
}

function isWithin(atMs: number | undefined, ageMs: number, nowMs: number): boolean {
  return atMs !== undefined && nowMs - atMs <= ageMs
}
