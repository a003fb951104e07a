/**
 * Property tests draw the same values in each run of `npm test`, so that it fails only because of a change.
 * `npm run test:properties` draws others.
 */
import fc from 'fast-check'

const SEED = 1

fc.configureGlobal({ seed: Number(process.env.PROPERTY_SEED ?? SEED) })
