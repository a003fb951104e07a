/** A language of the app: its direction, the client's words, and the texts that load first. */
import type { Numbers, Words } from '@geotrace/client/words'
import type { First } from './en.ts'

export interface Language {
  /** BCP 47, without a region. */
  locale: string
  dir: 'ltr' | 'rtl'
  words: (n: Numbers) => Words
  first: (n: Numbers) => First
}
