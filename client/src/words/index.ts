/**
 * Words for people: statuses, exposures, refusals and errors of the client in English, and the formats of a language. German is
 * the entry `@geotrace/client/words/de`, so that an app loads the languages that it shows.
 *
 * ```ts
 * const words = english(numbers('en-GB'))
 * words.states[status.state]
 * ```
 * @module
 */
export { english, type WordAndWhy, type Words } from './en.ts'
export { errorToWords } from './error-words.ts'
export { type Numbers, numbers, type Plural } from './numbers.ts'
