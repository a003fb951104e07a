/**
 * Turns fixes with secrets into the thirty hashes of each fix. PROTOCOL.md §3. The risk points of a sync are computed once.
 * A fix that lacks one secret is left out whole. The secrets are wiped after hashing.
 */
import type { Core, Fix, NeededSecrets, RiskPoints } from '@geotrace/core-wasm'
import { hashToRosterName, RISK_HASH_BYTES, RISK_POINTS_PER_FIX, SECRET_BYTES } from '@geotrace/core-wasm/wire'
import { fixBlockToEpoch, timeToFixBlock } from '../diary/fix-block.ts'
import type { LinkedFix } from '../diary/fix-states.ts'
import type { SaltKeeper } from './salt-keeper.ts'
import type { ClientSalting, RosterOf, WantedSecret } from './salting.ts'

/** The risk points of some fixes, and the secrets that they need. */
interface FixPoints {
  readonly fixes: readonly Fix[]
  readonly points: RiskPoints
  /** For each secret of `points.needed` how to ask for it; undefined where no roster is known. */
  readonly secrets: readonly (WantedSecret | undefined)[]
}

/** The secrets that one fix needs. */
export interface FixSecrets {
  readonly fix: Fix
  readonly wanted: readonly (WantedSecret | undefined)[]
}

export interface Hashed {
  readonly hashed: readonly LinkedFix[]
  /** Distinct risk points. */
  readonly points: number
}

export function fixesToPoints(
  core: Core,
  fixes: readonly Fix[],
  rosterOf: RosterOf,
  salting: ClientSalting,
): FixPoints {
  const points = core.fixesToRiskPoints(fixes, salting.kind)
  return { fixes, points, secrets: salting.wanted(points.needed, rosterOf, core) }
}

export function pointsToSecrets({ fixes, points, secrets: all }: FixPoints): FixSecrets[] {
  return fixes.map((fix, i) => {
    const secrets = new Set([...pointsOf(points, i)].map((point) => points.secretIndex[point]!))
    return { fix, wanted: [...secrets].map((secret) => all[secret]) }
  })
}

/** Hashes the fixes for which `keeper` holds every secret. */
export function hashFixes(core: Core, all: FixPoints, rosterOf: RosterOf, keeper: SaltKeeper): Hashed {
  const isKnown = all.secrets.map((wanted) => wanted !== undefined && keeper.get(wanted.name) !== undefined)
  const complete = all.fixes.flatMap((_, i) =>
    pointsOf(all.points, i).every((point) => isKnown[all.points.secretIndex[point]!]) ? [i] : [],
  )
  if (complete.length === 0) return { hashed: [], points: 0 }
  const { fixes, points, secrets: known } = complete.length < all.fixes.length ? selectFixes(all, complete) : all
  const secrets = new Uint8Array(known.length * SECRET_BYTES)
  for (const [i, wanted] of known.entries()) secrets.set(keeper.get(wanted!.name)!, i * SECRET_BYTES)
  const hashes = core.hashRiskPoints(points, secrets)
  secrets.fill(0)
  const name = (epoch: number) => hashToRosterName(rosterOf(epoch)!.hash)
  const hashed = fixes.map((fix, i): LinkedFix => {
    const block = timeToFixBlock(fix.at)
    const epoch = fixBlockToEpoch(block)
    return { fix, record: { block, rosters: [name(epoch), name(epoch + 1)], hashes: hashesOf(points, hashes, i) } }
  })
  return { hashed, points: points.count }
}

/** The same for some of the fixes: their points and secrets, numbered anew in the order in which they appear. */
export function selectFixes({ fixes, points, secrets: all }: FixPoints, indexes: readonly number[]): FixPoints {
  const taken = numbering()
  const secrets = numbering()
  const ofFix = indexes.flatMap((i) => [...pointsOf(points, i)].map(taken.number))
  const secretIndex = taken.items.map((point) => secrets.number(points.secretIndex[point]!))
  return {
    fixes: indexes.map((i) => fixes[i]!),
    secrets: secrets.items.map((secret) => all[secret]),
    points: {
      count: taken.items.length,
      cells: BigUint64Array.from(taken.items, (point) => points.cells[point]!),
      sizes: Uint8Array.from(taken.items, (point) => points.sizes[point]!),
      blocks: Uint32Array.from(taken.items, (point) => points.blocks[point]!),
      lags: Uint8Array.from(taken.items, (point) => points.lags[point]!),
      secretIndex: Uint32Array.from(secretIndex),
      ofFix: Uint32Array.from(ofFix),
      needed: selectNeeded(points.needed, secrets.items),
    },
  }
}

function selectNeeded(needed: NeededSecrets, items: readonly number[]): NeededSecrets {
  const { salting } = needed
  const count = items.length
  if (salting !== 'plain') {
    const cells = BigUint64Array.from(items, (secret) => needed.cells[secret]!)
    return { salting, count, cells, epochs: Uint32Array.from(items, (secret) => needed.epochs[secret]!) }
  }
  return {
    salting,
    count,
    regions: Uint32Array.from(items, (secret) => needed.regions[secret]!),
    sizes: Uint8Array.from(items, (secret) => needed.sizes[secret]!),
    blocks: Uint32Array.from(items, (secret) => needed.blocks[secret]!),
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
