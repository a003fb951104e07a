/** Certified rosters in memory that follow each other, for tests of the code that accepts rosters. */
import {
  type Founders,
  foundRoster,
  type Next,
  nextTestRoster,
  TEST_AUTHORITY,
  TEST_OPERATORS,
  testManifest,
  testSigner,
  testTrees,
} from '@geotrace/core-wasm/testing'
import {
  type CertifiedRoster,
  encodeChange,
  type Parameters,
  type SignedChange,
  type Signer,
} from '@geotrace/core-wasm/wire'
import { systemRandom } from '../../src/platform/random.ts'

export const NAMES = [...TEST_OPERATORS, TEST_AUTHORITY]
/** The founding time of `testManifest`, Unix ms. */
export const FOUNDED = Date.parse('2026-11-21T12:00:00Z')
export const operatorSigner = (name: string): Signer => testSigner(`operator/${name}`)
export const peerSigner = (name: string): Signer => testSigner(`peer/${name}`)

export function founded(parameters: Partial<Parameters> = {}, founders: Founders = {}) {
  const manifest = testManifest(parameters)
  let first: CertifiedRoster | undefined
  // Make the first roster on demand only, because the sheets of many shards take minutes.
  return {
    manifest,
    get first() {
      first ??= foundRoster(manifest, testTrees(manifest), founders)
      return first
    },
  }
}

export interface Choice extends Omit<Next, 'changes'> {
  changes?: readonly SignedChange[]
}

/** The roster one period after `previous`, with random sheets, certified with the test keys. */
export function follow(previous: CertifiedRoster, { changes = [], ...choice }: Choice = {}): CertifiedRoster {
  const sheets = Array.from({ length: previous.roster.plan.shards }, () => systemRandom(32))
  return nextTestRoster(previous, { sheets, ...choice, changes: changes.map(encodeChange) })
}
