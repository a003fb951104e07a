/**
 * The secrets that seeds of salt nodes give away. PROTOCOL.md §5.1, §5.7. The lab drew every seed, and an attacker who holds a node
 * holds the seeds of the node's parts. Which draw is the seed of which part follows from the certified part keys.
 */
import type { Cell } from '@geotrace/core-wasm'
import { parts } from '@geotrace/core-wasm/voprf'
import { bytesToHex, EPOCH_MIN, epochToBlocks } from '@geotrace/core-wasm/wire'
import { leafToPartSecret } from '../../src/salt/secrets/part-secret.ts'
import { leafToSalts } from '../../src/salt/secrets/plain-salts.ts'
import { ratchetTo, stateToLeaf } from '../../src/salt/secrets/ratchet.ts'
import { certifiedPartKeys } from './evaluations.ts'
import type { Lab } from './lab.ts'
import { locate, type SecretOf } from './map.ts'
import { toggleMask } from './secrets.ts'

/** The leaf of an epoch from a drawn seed. */
function drawnLeaf({ core, certified }: Pick<Lab, 'core' | 'certified'>, masked: Uint8Array, epoch: number) {
  const state = ratchetTo(core, toggleMask(masked), certified.roster.firstEpoch, epoch)
  return stateToLeaf(core, state)
}

/** The scalar of every part in `epoch`, in the order of the parts. Under `threshold` only. */
export async function partScalars(lab: Lab, epoch: number): Promise<Uint8Array[]> {
  const { group, drawn } = lab
  const byKey = new Map(
    drawn.masked.map((masked) => {
      const scalar = leafToPartSecret(group, drawnLeaf(lab, masked, epoch))
      return [bytesToHex(group.multiplyBase(scalar)), scalar]
    }),
  )
  return (await certifiedPartKeys(lab, epoch)).keys.map((key) => byKey.get(bytesToHex(key))!)
}

/** The scalars that some replicas know together, by part. */
export function knownTo({ certified }: Pick<Lab, 'certified'>, ranks: readonly number[]): number[] {
  const { replicas, threshold } = certified.roster
  return parts(replicas, threshold).flatMap((members, part) =>
    ranks.some((rank) => members.includes(rank)) ? [part] : [],
  )
}

/** The secrets of an epoch under `plain`, from the seed that this draw is; undefined unless it opens rows of `cells`. */
export function plainSecrets(lab: Lab, epoch: number, cells: readonly Cell[]): SecretOf | undefined {
  for (const masked of lab.drawn.masked) {
    const salts = leafToSalts(lab.core, drawnLeaf(lab, masked, epoch), epoch)
    const byBlock = new Map(
      epochToBlocks(epoch).map(({ size, n }, i) => [`${size}/${n}`, salts.slice(32 * i, 32 * i + 32)]),
    )
    const secretOf: SecretOf = (_, size, n) => byBlock.get(`${size}/${n}`)
    if (locate(lab, cells, secretOf).size > 0) return secretOf
  }
  return undefined
}

export function blockIsIn(epoch: number, size: number, n: number): boolean {
  return Math.floor((n * size) / EPOCH_MIN) === epoch
}
