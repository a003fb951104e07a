/** The causes of gaps and the states of fixes in words. */
import type { DiaryState } from '@geotrace/client'
import type { GapCause } from './timeline.ts'

export const GAP_WORDS: Readonly<Record<GapCause, { title: string; why: string }>> = {
  paused: { title: 'Paused', why: 'You had paused recording.' },
  denied: { title: 'No location', why: 'The browser did not give this page your location.' },
  unavailable: { title: 'No location', why: 'This device could not find its position.' },
  inaccurate: { title: 'Too inaccurate', why: 'Only positions that are less accurate than 10 m came.' },
  home: { title: 'Near home', why: 'Positions near home are left out. Only this cause was kept.' },
  night: { title: 'Night at home', why: 'Positions near home are left out. Only this cause was kept.' },
  zone: { title: 'In a hidden zone', why: 'You hid this zone. Only this cause was kept.' },
  speed: { title: 'Riding', why: 'Positions at more than 108 km/h are left out.' },
  none: { title: 'Nothing recorded', why: 'No position came. The page was closed, or you deleted this time.' },
  before: { title: 'Before the diary', why: 'The diary begins later.' },
}

export const STATES: Readonly<Record<DiaryState, { word: string; why: string }>> = {
  open: { word: 'open', why: 'its five minutes are not over' },
  waiting: { word: 'waiting', why: 'hashed with the next sync' },
  held: { word: 'held back', why: 'until it is known where your home is' },
  hashed: { word: 'hashed', why: 'deposited with the next sync' },
  deposited: { word: 'deposited', why: 'the central peer has its hashes' },
  lost: { word: 'not matched', why: 'its salts were gone before the sync' },
}
