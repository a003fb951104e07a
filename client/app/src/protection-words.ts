/** The status of the device in words: a headline for each state, a sentence for each reason, a label for each step. */
import type { Protection, ProtectionAction, ProtectionReason, ProtectionState } from '@geotrace/client'
import { HOUR_MS, MINUTE_MS } from '@geotrace/core-wasm/wire'
import { ago, count } from './words.ts'

export const STATE_WORDS: Readonly<Record<ProtectionState, string>> = {
  'at-risk': 'You were near somebody who tested positive',
  'not-protected': 'Not protected',
  partly: 'Partly protected',
  protected: 'Protected',
}

export const ACTION_WORDS: Readonly<Record<ProtectionAction, string>> = {
  'see-exposures': 'See where and when',
  agree: 'Review what you agreed to',
  resume: 'Resume recording',
  'allow-location': 'Allow the location',
  'mark-home': 'Mark your home',
  'sync-now': 'Sync now',
  'set-clock': 'How to set the clock',
  'go-outside': 'What helps',
}

export function reasonToWords(reason: ProtectionReason, { situation }: Protection): string {
  const { nowMs, fixesHeld, fixesLost, lastSyncMs } = situation
  switch (reason) {
    case 'erasing':
      return 'Your data is being erased. The central peer has not confirmed yet, and nothing is recorded meanwhile.'
    case 'no-consent-record':
      return 'You have not agreed to a diary, so nothing is recorded.'
    case 'paused':
      return 'Recording is paused.'
    case 'location-denied':
      return 'The browser does not give this page your location. Allow it in the browser’s settings for this page.'
    case 'location-not-asked':
      return 'The browser has not been asked for your location yet.'
    case 'no-consent-deposit':
      return 'You have not agreed to deposits, so your hours cannot be compared with those of others.'
    case 'only-inaccurate':
      return 'Your positions are too inaccurate to be compared. Outside, or near a window, they get better.'
    case 'no-recent-position':
      return 'No position came in the last hour.'
    case 'home-unknown':
      return `${count(fixesHeld, 'position')} wait on this device until your home is known, because nothing near home is ever sent.`
    case 'sync-overdue':
      return lastSyncMs === undefined
        ? 'Positions wait for a sync.'
        : `The last sync was ${ago(lastSyncMs, nowMs)}. Positions older than three hours cannot be compared any more.`
    case 'never-synced':
      return 'This device has not synced yet.'
    case 'nothing-compared':
      return 'No hour of yours can be compared yet.'
    case 'fixes-lost':
      return `${count(fixesLost, 'position')} could not be compared, because the sync came too late.`
    case 'clock-off':
      return 'The clock of this device is wrong by more than five minutes. The app corrects for it.'
    case 'location-unknown':
      return 'It is not known whether the browser gives this page your location.'
    case 'weak-salting':
      return 'This federation uses weak salts: a single request to a volunteer opens the hashes of a region.'
  }
}

/** "9 hours 20 minutes", or undefined when nothing is compared. */
export function comparedToWords({ comparedMs }: Protection): string | undefined {
  if (comparedMs === 0) return undefined
  const hours = Math.floor(comparedMs / HOUR_MS)
  const minutes = Math.round((comparedMs - hours * HOUR_MS) / MINUTE_MS)
  return [hours > 0 && count(hours, 'hour'), minutes > 0 && count(minutes, 'minute')].filter(Boolean).join(' ')
}
