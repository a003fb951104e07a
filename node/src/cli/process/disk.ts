/** Free space of the disk of a node's directory. node/README.md "When something is wrong". */
import { existsSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'

const MIB = 1 << 20
/** A full quota table is about 100 MiB, and LevelDB needs as much again to compact it. */
export const DISK_WANTED_BYTES = 500 * MIB
export const DISK_LEAST_BYTES = 50 * MIB
/** LevelDB writes files of up to this size, so a node with less space can store no quota and refuses requests. */
export const DISK_FULL_BYTES = 4 * MIB

/** Below these the central peer takes no deposits, and should get more room soon. node/CENTRAL.md "The disk". */
export const DISK_LOW_BYTES = 256 * MIB
export const DISK_WARN_BYTES = 1_024 * MIB

/** Free bytes for this user on the disk of `dir`, or of the nearest folder above it that exists. */
export function freeBytes(dir: string): number {
  let existing = dir
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing)
  const { bavail, bsize } = statfsSync(existing)
  return bavail * bsize
}
