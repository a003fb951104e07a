/** The result that life-page.ts must give in every browser and over every dialer. */
import type { Life } from './life-page.ts'

export const LIFE: Life = {
  recorded: [true, true, true, true, true, true],
  atHome: 'redacted-home',
  synced: [true, true, true, true, true],
  report: 'accepted',
  secondTab: 'STORE_LOCKED',
  states: { deposited: 6 },
  exposures: [{ degree: 1, certainty: 'high' }],
}
