import { EPOCH_MS, HOUR_MS } from '@geotrace/core-wasm/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  PROTECTION_REASONS,
  type Protection,
  type ProtectionReason,
  type Situation,
  situationToProtection,
} from '../../src/protection/protection.ts'

const NOW = 1_000 * EPOCH_MS

/** Everything works, and the last three epochs are compared. */
const GOOD: Situation = {
  nowMs: NOW,
  location: 'granted',
  mayRecord: true,
  mayDeposit: true,
  isPaused: false,
  isErasing: false,
  isHomeKnown: true,
  positionMs: NOW - 60_000,
  inaccurateMs: undefined,
  fixesHeld: 0,
  fixesWaiting: 0,
  oldestWaitingMs: undefined,
  lostMs: undefined,
  fixesLost: 0,
  lastSyncMs: NOW - HOUR_MS,
  isClockOff: false,
  isRelayShared: false,
  salting: 'threshold',
  isLocal: false,
  compared: [997, 998, 999].map((epoch) => ({ epoch, minutes: 80 })),
  isEnrolmentMissing: false,
  exposures: 0,
}

/** One change of a good situation for each reason. */
const PROBLEMS: Readonly<Record<ProtectionReason, Partial<Situation>>> = {
  erasing: { isErasing: true },
  'no-consent-record': { mayRecord: false },
  paused: { isPaused: true },
  'location-denied': { location: 'denied' },
  'location-not-asked': { location: 'prompt' },
  'no-consent-deposit': { mayDeposit: false },
  'only-inaccurate': { positionMs: undefined, inaccurateMs: NOW - 60_000 },
  'no-recent-position': { positionMs: NOW - HOUR_MS - 1 },
  'home-unknown': { isHomeKnown: false, fixesHeld: 24 },
  'sync-overdue': { lastSyncMs: NOW - 3 * HOUR_MS - 1 },
  'never-synced': { lastSyncMs: undefined },
  'nothing-compared': { compared: [] },
  'fixes-lost': { lostMs: NOW - HOUR_MS, fixesLost: 1 },
  'clock-off': { isClockOff: true },
  'location-unknown': { location: 'unknown', positionMs: undefined },
  'weak-salting': { salting: 'plain' },
  'not-enrolled': { isEnrolmentMissing: true },
  'relay-shared': { isRelayShared: true },
}
const RANK = { protected: 0, partly: 1, 'not-protected': 2, 'at-risk': 3 } as const

const stateOf = (change: Partial<Situation>): Protection => situationToProtection({ ...GOOD, ...change })

describe('the status of a device', () => {
  it.each<[Partial<Situation>, Protection['state'], Protection['reasons'], Protection['action']]>([
    [{}, 'protected', [], undefined],
    [PROBLEMS.erasing, 'not-protected', ['erasing'], 'sync-now'],
    [PROBLEMS['no-consent-record'], 'not-protected', ['no-consent-record'], 'agree'],
    [PROBLEMS.paused, 'not-protected', ['paused'], 'resume'],
    [PROBLEMS['location-denied'], 'not-protected', ['location-denied'], 'allow-location'],
    [PROBLEMS['location-not-asked'], 'not-protected', ['location-not-asked'], 'allow-location'],
    [PROBLEMS['no-consent-deposit'], 'not-protected', ['no-consent-deposit'], 'agree'],
    [PROBLEMS['only-inaccurate'], 'not-protected', ['only-inaccurate'], 'go-outside'],
    [{ inaccurateMs: NOW }, 'protected', [], undefined],
    [PROBLEMS['no-recent-position'], 'partly', ['no-recent-position'], undefined],
    [PROBLEMS['home-unknown'], 'partly', ['home-unknown'], 'mark-home'],
    [{ isHomeKnown: false }, 'protected', [], undefined],
    [{ fixesHeld: 3 }, 'protected', [], undefined],
    [{ ...PROBLEMS['home-unknown'], compared: [] }, 'not-protected', ['home-unknown', 'nothing-compared'], 'mark-home'],
    [PROBLEMS['sync-overdue'], 'partly', ['sync-overdue'], 'sync-now'],
    [{ fixesWaiting: 1, oldestWaitingMs: NOW - 3 * HOUR_MS - 1 }, 'partly', ['sync-overdue'], 'sync-now'],
    [{ fixesWaiting: 1, oldestWaitingMs: NOW - HOUR_MS }, 'protected', [], undefined],
    [PROBLEMS['never-synced'], 'not-protected', ['never-synced'], 'sync-now'],
    [PROBLEMS['nothing-compared'], 'not-protected', ['nothing-compared'], undefined],
    [PROBLEMS['fixes-lost'], 'partly', ['fixes-lost'], undefined],
    [{ lostMs: NOW - 25 * HOUR_MS, fixesLost: 1 }, 'protected', [], undefined],
    [PROBLEMS['clock-off'], 'partly', ['clock-off'], 'set-clock'],
    [{ location: 'unknown' }, 'protected', [], undefined],
    [PROBLEMS['location-unknown'], 'partly', ['no-recent-position', 'location-unknown'], undefined],
    [PROBLEMS['weak-salting'], 'partly', ['weak-salting'], undefined],
    [{ salting: 'plain', isLocal: true }, 'protected', [], undefined],
    [PROBLEMS['not-enrolled'], 'partly', ['not-enrolled'], 'enrol'],
    [PROBLEMS['relay-shared'], 'partly', ['relay-shared'], undefined],
    [{ isRelayShared: true, isLocal: true }, 'protected', [], undefined],
    [{ exposures: 1 }, 'at-risk', [], 'see-exposures'],
    [{ exposures: 2, isPaused: true }, 'at-risk', ['paused'], 'see-exposures'],
    // Two problems: the first that has a step gives the button.
    [{ isErasing: true, isPaused: true }, 'not-protected', ['erasing', 'paused'], 'sync-now'],
    [{ mayRecord: false, location: 'denied' }, 'not-protected', ['no-consent-record', 'location-denied'], 'agree'],
    [{ isPaused: true, location: 'denied' }, 'not-protected', ['paused', 'location-denied'], 'resume'],
    [
      { location: 'denied', mayDeposit: false },
      'not-protected',
      ['location-denied', 'no-consent-deposit'],
      'allow-location',
    ],
    [
      { location: 'prompt', positionMs: undefined, compared: [] },
      'not-protected',
      ['location-not-asked', 'no-recent-position', 'nothing-compared'],
      'allow-location',
    ],
    [{ mayDeposit: false, lastSyncMs: undefined }, 'not-protected', ['no-consent-deposit', 'never-synced'], 'agree'],
    [
      { ...PROBLEMS['only-inaccurate'], isHomeKnown: false, fixesHeld: 3 },
      'not-protected',
      ['only-inaccurate', 'home-unknown'],
      'go-outside',
    ],
    [
      { ...PROBLEMS['no-recent-position'], ...PROBLEMS['sync-overdue'] },
      'partly',
      ['no-recent-position', 'sync-overdue'],
      'sync-now',
    ],
    [
      { ...PROBLEMS['home-unknown'], ...PROBLEMS['sync-overdue'] },
      'partly',
      ['home-unknown', 'sync-overdue'],
      'mark-home',
    ],
    [{ ...PROBLEMS['sync-overdue'], isClockOff: true }, 'partly', ['sync-overdue', 'clock-off'], 'sync-now'],
    [{ ...PROBLEMS['fixes-lost'], ...PROBLEMS['weak-salting'] }, 'partly', ['fixes-lost', 'weak-salting'], undefined],
    [{ ...PROBLEMS['fixes-lost'], isClockOff: true }, 'partly', ['fixes-lost', 'clock-off'], 'set-clock'],
    // The edges of the ages.
    [{ positionMs: NOW - HOUR_MS }, 'protected', [], undefined],
    [{ lastSyncMs: NOW - 3 * HOUR_MS }, 'protected', [], undefined],
    [{ lostMs: NOW - 24 * HOUR_MS, fixesLost: 1 }, 'partly', ['fixes-lost'], undefined],
    [{ positionMs: undefined, inaccurateMs: NOW - 2 * HOUR_MS }, 'partly', ['no-recent-position'], undefined],
    // A device that is offline or clock-off for a day, and the very first minute of a device.
    [
      {
        lastSyncMs: NOW - 26 * HOUR_MS,
        lostMs: NOW,
        fixesLost: 20,
        fixesWaiting: 30,
        oldestWaitingMs: NOW - 26 * HOUR_MS,
      },
      'partly',
      ['sync-overdue', 'fixes-lost'],
      'sync-now',
    ],
    [
      {
        location: 'prompt',
        mayRecord: false,
        mayDeposit: false,
        isHomeKnown: false,
        positionMs: undefined,
        lastSyncMs: undefined,
        compared: [],
      },
      'not-protected',
      [
        'no-consent-record',
        'location-not-asked',
        'no-consent-deposit',
        'no-recent-position',
        'never-synced',
        'nothing-compared',
      ],
      'agree',
    ],
    // An exposure stays the first thing to see, whatever is missing.
    [{ exposures: 1, mayDeposit: false }, 'at-risk', ['no-consent-deposit'], 'see-exposures'],
    [{ exposures: 1, ...PROBLEMS['sync-overdue'] }, 'at-risk', ['sync-overdue'], 'see-exposures'],
  ])('situation %o is %s', (change, state, reasons, action) => {
    expect(stateOf(change)).toMatchObject({ state, reasons, action })
  })

  it('each reason has a situation that gives it', () => {
    for (const reason of PROTECTION_REASONS) expect(stateOf(PROBLEMS[reason]).reasons).toContain(reason)
  })

  it('one more problem never improves the state and never hides another problem', () => {
    const problems = fc.subarray([...PROTECTION_REASONS])
    fc.assert(
      fc.property(problems, fc.constantFrom(...PROTECTION_REASONS), (chosen, added) => {
        const base: Partial<Situation> = Object.assign({}, ...chosen.map((reason) => PROBLEMS[reason]))
        const before = stateOf(base)
        const after = stateOf({ ...base, ...PROBLEMS[added] })
        expect(RANK[after.state]).toBeGreaterThanOrEqual(
          Math.min(RANK[before.state], RANK[stateOf(PROBLEMS[added]).state]),
        )
        // An inaccurate position is not a missing one.
        const isInaccurate = added === 'no-recent-position' && base.inaccurateMs !== undefined
        expect(after.reasons).toContain(isInaccurate ? 'only-inaccurate' : added)
        expect(after.state === 'protected').toBe(after.reasons.length === 0)
      }),
    )
  })

  it('the compared time is the sum over the epochs', () => {
    const compared = [
      { epoch: 10, minutes: 80 },
      { epoch: 13, minutes: 5 },
    ]
    expect(stateOf({ compared }).comparedMs).toBe(85 * 60_000)
  })
})
