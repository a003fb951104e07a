/**
 * `npm run check`: build, types, lint and format; seconds when little has changed. `npm run check -- --all` checks every
 * file. `tidy.test.ts` checks the rules of the repository itself.
 */
import { lint } from './lint.js'
import { setUp } from './setup.js'

setUp()
await lint({ all: process.argv.includes('--all') })
