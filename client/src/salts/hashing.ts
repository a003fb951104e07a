/**
 * Fixes with salts become the thirty hashes each that the outbox keeps. PROTOCOL.md §3. A fix that lacks one salt
 * waits whole; the secrets are wiped when the hashes are there.
 */
import type { Core, Fix, NeededSecrets } from '@geotrace/core-wasm'
import {
  type CertifiedRoster,
  hashToRosterName,
  RISK_HASH_BYTES,
  RISK_POINTS_PER_FIX,
  rosterInForce,
  SECRET_BYTES,
} from '@geotrace/core-wasm/wire'
import { timeToFixBlock } from '../diary/diary.ts'
import { fixBlockToEpoch, type HashedFix } from './hashed-fix.ts'
import { neededToSalts, type WantedSalt } from './plan.ts'
import type { SaltKeeper } from './salt-keeper.ts'

/** The salts that some fixes need, for each fix. */
export interface FixSalts {
  fix: Fix
  /** Undefined where no roster is in force for a block. */
  wanted: (WantedSalt | undefined)[]
}

export function fixesToSalts(core: Core, fixes: readonly Fix[], rosters: readonly CertifiedRoster[]): FixSalts[] {
  const points = core.fixesToRiskPoints(fixes, 'plain')
  const salts = neededToSalts(assertPlain(points.needed), rosters, core.regionToShard)
  return fixes.map((fix, i) => {
    const indexes = points.ofFix.subarray(i * RISK_POINTS_PER_FIX, (i + 1) * RISK_POINTS_PER_FIX)
    const secrets = new Set([...indexes].map((point) => points.secretIndex[point]!))
    return { fix, wanted: [...secrets].map((secret) => salts[secret]) }
  })
}

export interface Hashed {
  hashed: { fix: Fix; record: HashedFix }[]
  /** Distinct risk points. */
  points: number
}

/** Every salt of `fixes` must be in `keeper`. */
export function hashFixes(
  core: Core,
  fixes: readonly Fix[],
  rosters: readonly CertifiedRoster[],
  keeper: SaltKeeper,
): Hashed {
  const points = core.fixesToRiskPoints(fixes, 'plain')
  const salts = neededToSalts(assertPlain(points.needed), rosters, core.regionToShard)
  const secrets = new Uint8Array(salts.length * SECRET_BYTES)
  for (const [i, wanted] of salts.entries()) secrets.set(keeper.get(wanted!.name)!, i * SECRET_BYTES)
  const hashes = core.hashRiskPoints(points, secrets)
  secrets.fill(0)
  const hashed = fixes.map((fix, i) => {
    const block = timeToFixBlock(fix.at)
    const own = new Uint8Array(RISK_POINTS_PER_FIX * RISK_HASH_BYTES)
    for (let k = 0; k < RISK_POINTS_PER_FIX; k++) {
      const point = points.ofFix[i * RISK_POINTS_PER_FIX + k]!
      own.set(hashes.subarray(point * RISK_HASH_BYTES, (point + 1) * RISK_HASH_BYTES), k * RISK_HASH_BYTES)
    }
    const name = (epoch: number) => hashToRosterName(rosterInForce(rosters, epoch)!.hash)
    const epoch = fixBlockToEpoch(block)
    return { fix, record: { block, rosters: [name(epoch), name(epoch + 1)] as [Uint8Array, Uint8Array], hashes: own } }
  })
  return { hashed, points: points.count }
}

function assertPlain(needed: NeededSecrets): Extract<NeededSecrets, { salting: 'plain' }> {
  if (needed.salting !== 'plain') throw new TypeError(`"salting" expected plain, got ${needed.salting}`)
  return needed
}
