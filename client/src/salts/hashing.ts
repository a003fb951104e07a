/**
 * Turns fixes with salts into the thirty hashes of each fix. PROTOCOL.md §3. The risk points of a sync are computed once.
 * A fix that lacks one salt is left out whole. The secrets are wiped after hashing.
 */
import type { Core, Fix, RiskPoints } from '@geotrace/core-wasm'
import {
  type CertifiedRoster,
  hashToRosterName,
  RISK_HASH_BYTES,
  RISK_POINTS_PER_FIX,
  rosterInForce,
  SECRET_BYTES,
} from '@geotrace/core-wasm/wire'
import { fixBlockToEpoch, timeToFixBlock } from '../diary/fix-block.ts'
import type { LinkedFix } from '../diary/fix-states.ts'
import { neededToSalts, type PlainSecrets, type WantedSalt } from './plan.ts'
import type { SaltKeeper } from './salt-keeper.ts'

/** The risk points of some fixes, and the salts that they need. */
interface FixPoints {
  readonly fixes: readonly Fix[]
  readonly points: PlainPoints
  /** For each needed secret its salt; undefined where no roster is in force for the block. */
  readonly salts: readonly (WantedSalt | undefined)[]
}

type PlainPoints = RiskPoints & { readonly needed: PlainSecrets }

/** The salts that one fix needs. */
export interface FixSalts {
  readonly fix: Fix
  readonly wanted: readonly (WantedSalt | undefined)[]
}

export interface Hashed {
  readonly hashed: readonly LinkedFix[]
  /** Distinct risk points. */
  readonly points: number
}

export function fixesToPoints(core: Core, fixes: readonly Fix[], rosters: readonly CertifiedRoster[]): FixPoints {
  const points = core.fixesToRiskPoints(fixes, 'plain')
  if (!isPlain(points)) throw new TypeError(`"salting" expected plain, got ${points.needed.salting}`)
  return { fixes, points, salts: neededToSalts(points.needed, rosters, core.regionToShard) }
}

export function pointsToSalts({ fixes, points, salts }: FixPoints): FixSalts[] {
  return fixes.map((fix, i) => {
    const secrets = new Set([...pointsOf(points, i)].map((point) => points.secretIndex[point]!))
    return { fix, wanted: [...secrets].map((secret) => salts[secret]) }
  })
}

/** Hashes the fixes for which `keeper` holds every salt. */
export function hashFixes(core: Core, all: FixPoints, rosters: readonly CertifiedRoster[], keeper: SaltKeeper): Hashed {
  const isKnown = all.salts.map((salt) => salt !== undefined && keeper.get(salt.name) !== undefined)
  const complete = all.fixes.flatMap((_, i) =>
    pointsOf(all.points, i).every((point) => isKnown[all.points.secretIndex[point]!]) ? [i] : [],
  )
  if (complete.length === 0) return { hashed: [], points: 0 }
  const { fixes, points, salts } = complete.length < all.fixes.length ? selectFixes(all, complete) : all
  const secrets = new Uint8Array(salts.length * SECRET_BYTES)
  for (const [i, wanted] of salts.entries()) secrets.set(keeper.get(wanted!.name)!, i * SECRET_BYTES)
  const hashes = core.hashRiskPoints(points, secrets)
  secrets.fill(0)
  const name = (epoch: number) => hashToRosterName(rosterInForce(rosters, epoch)!.hash)
  const hashed = fixes.map((fix, i): LinkedFix => {
    const block = timeToFixBlock(fix.at)
    const epoch = fixBlockToEpoch(block)
    return { fix, record: { block, rosters: [name(epoch), name(epoch + 1)], hashes: hashesOf(points, hashes, i) } }
  })
  return { hashed, points: points.count }
}

/** The same for some of the fixes: their points and secrets, numbered anew in the order in which they appear. */
export function selectFixes({ fixes, points, salts }: FixPoints, indexes: readonly number[]): FixPoints {
  const taken = numbering()
  const secrets = numbering()
  const ofFix = indexes.flatMap((i) => [...pointsOf(points, i)].map(taken.number))
  const secretIndex = taken.items.map((point) => secrets.number(points.secretIndex[point]!))
  const { needed } = points
  return {
    fixes: indexes.map((i) => fixes[i]!),
    salts: secrets.items.map((secret) => salts[secret]),
    points: {
      count: taken.items.length,
      cells: BigUint64Array.from(taken.items, (point) => points.cells[point]!),
      sizes: Uint8Array.from(taken.items, (point) => points.sizes[point]!),
      blocks: Uint32Array.from(taken.items, (point) => points.blocks[point]!),
      lags: Uint8Array.from(taken.items, (point) => points.lags[point]!),
      secretIndex: Uint32Array.from(secretIndex),
      ofFix: Uint32Array.from(ofFix),
      needed: {
        salting: 'plain',
        count: secrets.items.length,
        regions: Uint32Array.from(secrets.items, (secret) => needed.regions[secret]!),
        sizes: Uint8Array.from(secrets.items, (secret) => needed.sizes[secret]!),
        blocks: Uint32Array.from(secrets.items, (secret) => needed.blocks[secret]!),
      },
    },
  }
}

/** Numbers items 0, 1, 2 … as they first appear. */
function numbering(): { readonly items: number[]; number(item: number): number } {
  const numbers = new Map<number, number>()
  const items: number[] = []
  return {
    items,
    number(item) {
      const known = numbers.get(item)
      if (known !== undefined) return known
      numbers.set(item, items.length)
      return items.push(item) - 1
    },
  }
}

/** The thirty points of the i-th fix. */
function pointsOf({ ofFix }: RiskPoints, i: number): Uint32Array {
  return ofFix.subarray(i * RISK_POINTS_PER_FIX, (i + 1) * RISK_POINTS_PER_FIX)
}

function hashesOf(points: RiskPoints, hashes: Uint8Array, i: number): Uint8Array {
  const own = new Uint8Array(RISK_POINTS_PER_FIX * RISK_HASH_BYTES)
  for (const [k, point] of pointsOf(points, i).entries()) {
    own.set(hashes.subarray(point * RISK_HASH_BYTES, (point + 1) * RISK_HASH_BYTES), k * RISK_HASH_BYTES)
  }
  return own
}

function isPlain(points: RiskPoints): points is PlainPoints {
  return points.needed.salting === 'plain'
}
