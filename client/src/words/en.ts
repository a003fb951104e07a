/**
 * The wording of statuses, exposures, refusals and errors in English. Its form is the form of every other language. A text with
 * a number takes it as an argument. README "Words".
 */
import type { ErrorCode } from '@geotrace/core-wasm'
import type { DiaryState } from '../diary/fix-states.ts'
import type { Certainty, Exposure } from '../exposures/exposure.ts'
import type { ProtectionAction, ProtectionReason, ProtectionState, Situation } from '../protection/protection.ts'
import type { RefusalReason } from '../record.ts'
import type { Numbers } from './numbers.ts'

/** A word for a small place, and the sentence behind it. */
export interface WordAndWhy {
  word: string
  why: string
}
export interface Words {
  states: Readonly<Record<ProtectionState, string>>
  actions: Readonly<Record<ProtectionAction, string>>
  reasons: Readonly<Record<ProtectionReason, (situation: Situation) => string>>
  /** How close in time two people were, from the smallest block that matched. */
  closeness(exposure: Pick<Exposure, 'lagMin' | 'trail' | 'same'>): string
  degree(degree: number): string
  certainty: Readonly<Record<Certainty, WordAndWhy>>
  fixStates: Readonly<Record<DiaryState, WordAndWhy>>
  /** Each follows a number of positions: "3 near home". */
  refusals: Readonly<Record<RefusalReason, string>>
  errors: Readonly<Partial<Record<ErrorCode, string>>>
  otherError(code: string): string
  /** A place in a file that cannot be read. */
  line(n: number): string
}

export const english = (n: Numbers): Words => ({
  ...STATUS,
  reasons: toReasons(n),
  ...toMeetingWords(n),
  ...FIXES,
  ...ERRORS,
  otherError: (code) => `Something failed (${code}).`,
  line: (number) => `line ${number}`,
})

const STATUS: Pick<Words, 'states' | 'actions'> = {
  states: {
    'at-risk': 'You were near somebody who tested positive',
    'not-protected': 'Not protected',
    partly: 'Partly protected',
    protected: 'Protected',
  },
  actions: {
    'see-exposures': 'See where and when',
    agree: 'Review what you agreed to',
    resume: 'Resume recording',
    'allow-location': 'Allow the location',
    'mark-home': 'Mark your home',
    'sync-now': 'Sync now',
    'set-clock': 'How to set the clock',
    'go-outside': 'What helps',
    enrol: 'Enrol this device',
  },
}

const toReasons = (n: Numbers): Words['reasons'] => ({
  erasing: () =>
    'Your data is being erased. The central peer has not confirmed yet, and nothing is recorded meanwhile.',
  'no-consent-record': () => 'You have not agreed to a diary, so nothing is recorded.',
  paused: () => 'Recording is paused.',
  'location-denied': () =>
    'The browser does not give this page your location. Allow it in the browser’s settings for this page.',
  'location-not-asked': () => 'The browser has not been asked for your location yet.',
  'no-consent-deposit': () => 'You have not agreed to deposits, so your hours cannot be compared with those of others.',
  'only-inaccurate': () =>
    'Your positions are too inaccurate to be compared. Outside, or near a window, they get better.',
  'no-recent-position': () => 'No position came in the last hour.',
  'home-unknown': ({ fixesHeld }) =>
    n.count(fixesHeld, {
      one: '# position waits on this device until your home is known, because nothing near home is ever sent.',
      other: '# positions wait on this device until your home is known, because nothing near home is ever sent.',
    }),
  'sync-overdue': ({ lastSyncMs, nowMs }) =>
    lastSyncMs === undefined
      ? 'Positions wait for a sync.'
      : `The last sync was ${n.relative(lastSyncMs, nowMs)}. Positions older than three hours cannot be compared any more.`,
  'never-synced': () => 'This device has not synced yet.',
  'nothing-compared': () => 'No hour of yours can be compared yet.',
  'fixes-lost': ({ fixesLost }) =>
    n.count(fixesLost, {
      one: '# position could not be compared, because the sync came too late.',
      other: '# positions could not be compared, because the sync came too late.',
    }),
  'clock-off': () => 'The clock of this device is wrong by more than five minutes. The app corrects for it.',
  'location-unknown': () => 'It is not known whether the browser gives this page your location.',
  'relay-shared': () =>
    'One volunteer gave keys for the last sync and passed it on. It knows your address, the time and a share of the world.',
  'not-enrolled': () => 'This device is not enrolled, so it shares the quota of its network with others.',
  'weak-salting': () =>
    'This federation uses weak salts: a single request to a volunteer opens the fingerprints of a region.',
})

const toMeetingWords = (n: Numbers): Pick<Words, 'closeness' | 'degree' | 'certainty'> => ({
  closeness({ lagMin, trail, same }) {
    if (same === 0) return `You came after they had left, by at most ${n.minutes(lagMin.to)}.`
    if (lagMin.to <= 5) return 'You were there within the same five minutes.'
    const after = trail > 0 ? ' or shortly after them' : ''
    return `You were there within ${n.minutes(lagMin.to)} of each other${after}.`
  },
  degree: (degree) =>
    degree === 1
      ? 'They reported a positive test.'
      : degree === 2
        ? 'They had met somebody who reported a positive test.'
        : `They are ${n.number(degree - 1)} meetings away from somebody who reported a positive test.`,
  certainty: {
    high: {
      word: 'Quite sure',
      why: 'You were within 24 m in the same five minutes, and close together or for ten minutes.',
    },
    medium: { word: 'Likely', why: 'You were within 24 m and twenty minutes.' },
    low: { word: 'Possible', why: 'You were within 24 m, but only a longer span of time matched.' },
  },
})

const FIXES: Pick<Words, 'fixStates' | 'refusals'> = {
  fixStates: {
    open: { word: 'open', why: 'its five minutes are not over' },
    waiting: { word: 'waiting', why: 'its fingerprints are made with the next sync' },
    held: { word: 'held back', why: 'until it is known where your home is' },
    hashed: { word: 'ready', why: 'its fingerprints go out with the next sync' },
    deposited: { word: 'deposited', why: 'the central peer has its fingerprints' },
    lost: { word: 'not matched', why: 'the sync came too late for it' },
    history: { word: 'history', why: 'imported too late to be matched' },
  },
  refusals: {
    invalid: 'not a position',
    future: 'ahead of the clock',
    'too-old': 'too old',
    inaccurate: 'too inaccurate',
    'accuracy-unknown': 'of unknown accuracy',
    paused: 'while paused',
    'no-consent': 'before you agreed',
    erasing: 'while erasing',
    'redacted-home': 'near home',
    'redacted-zone': 'in a zone of yours',
    'redacted-speed': 'faster than 108 km/h',
    'not-better': 'less accurate than another of the same five minutes',
    'block-taken': 'of five minutes that were sent already',
  },
}

const ERRORS: Pick<Words, 'errors'> = {
  errors: {
    ABORTED: 'The sync was stopped. Nothing is lost.',
    BUSY: 'The central peer is busy. The app tries again later; nothing is lost.',
    CODE_EXPIRED: 'This code is too old. Ask for a new one.',
    CODE_SPENT: 'This code was used before. Ask for a new one.',
    CODE_UNKNOWN: 'This is not a code of the authority. Please compare it letter by letter.',
    CONSENT_MISSING: 'You have not agreed to this yet.',
    CORE_UNSUPPORTED: 'This browser has no WebAssembly.',
    IMPORT_INVALID: 'The file cannot be read.',
    MANIFEST_INVALID: 'The federation file of this app is not valid.',
    PEER_TIMEOUT: 'The federation did not answer in time. The app tries again; nothing is lost.',
    PEER_UNREACHABLE: 'The federation cannot be reached. The app tries again; nothing is lost.',
    QUOTA_SPENT: 'Too many requests. The app tries again later; nothing is lost.',
    STORAGE_CORRUPT: 'The data in this browser cannot be read: it belongs to another federation, or it was damaged.',
    STORAGE_FULL:
      'There is no room left on this device or at the authority. The app tries again later; nothing is lost.',
    STORAGE_LOST: 'The browser has taken the storage away. Please reload the page.',
    TOO_MANY_ATTEMPTS: 'You tried too many wrong codes. Please wait an hour.',
  },
}
