/**
 * Watches the free space of a directory's disk, so that a peer refuses to store more before the disk is full. The watch
 * also keeps a ballast file. When the disk fills up all the same, the watch removes the ballast, and deletions have room:
 * LevelDB needs space to delete. Throws STORAGE_FULL.
 */
import { rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, oneAtATime, type Random } from '@geotrace/core-wasm'
import { FederationError } from '@geotrace/core-wasm/wire'
import { replaceFile } from './atomic-file.ts'
import { toCode } from './disk-error.ts'
import type { Log } from './log.ts'

const MIB = 1 << 20
/** Below this much free space nothing more is stored. Other programs may fill the rest in the meantime. */
const RESERVE_BYTES = 256 * MIB
/** Room for the log and the table that LevelDB writes when it opens a database again. */
const BALLAST_BYTES = 16 * MIB
export const BALLAST = 'ballast'
/** A look at the disk is used for this long. */
const LOOK_MS = 1_000

/** `low`: nothing more is stored. `full`: the ballast is gone too. */
export type Room = 'enough' | 'low' | 'full'

export interface DiskSpace {
  /** Throws STORAGE_FULL unless there is room to store more. */
  assertRoom(): Promise<void>
  /** Looks at the disk unless that happened just now, and removes or makes the ballast. */
  look(): Promise<void>
  readonly room: Room
  readonly freeBytes: number
}
export interface DiskSpaceInit {
  dir: string
  clock: Clock
  random: Random
  log: Log
  /** Free bytes on the disk of a directory; default: as the system says. */
  freeBytes?: (dir: string) => Promise<number>
  reserveBytes?: number
  ballastBytes?: number
}

/** A disk that cannot be asked counts as before. */
export function diskSpace(init: DiskSpaceInit): DiskSpace {
  const { dir, clock, random, log, freeBytes = systemFreeBytes } = init
  const { reserveBytes = RESERVE_BYTES, ballastBytes = BALLAST_BYTES } = init
  const ballast = join(dir, BALLAST)
  const inTurn = oneAtATime()
  let free = Number.POSITIVE_INFINITY
  let room: Room = 'enough'
  let lookedMs = Number.NEGATIVE_INFINITY

  const weigh = async (): Promise<void> => {
    const hasBallast = await exists(ballast)
    free = await freeBytes(dir)
    if (hasBallast && free < ballastBytes / 2) await rm(ballast)
    // Not before there is twice the room that the ballast takes, so that it does not come and go.
    if (!hasBallast && free > reserveBytes + 2 * ballastBytes) await replaceFile(ballast, random(ballastBytes))
    const before = room
    room = free >= reserveBytes ? 'enough' : free >= ballastBytes / 2 ? 'low' : 'full'
    if (room === before) return
    const fields = { room, freeMib: Math.floor(free / MIB), reserveMib: Math.floor(reserveBytes / MIB) }
    if (room === 'enough') log.info('disk.room', fields)
    else log.error('disk.room', fields)
  }
  const look = (): Promise<void> =>
    inTurn(async () => {
      const nowMs = clock.now()
      // A clock that was set back must not stop the looks.
      if (nowMs >= lookedMs && nowMs < lookedMs + LOOK_MS) return
      lookedMs = nowMs
      await weigh().catch((error: unknown) => log.error('disk.unknown', { code: toCode(error) }))
    })

  return {
    look,
    async assertRoom() {
      await look()
      if (room === 'enough') return
      const text = `the disk has ${Math.floor(free / MIB)} MiB left; free some space, at least ${Math.ceil(reserveBytes / MIB)} MiB`
      throw new FederationError('STORAGE_FULL', text, { what: dir })
    },
    get room() {
      return room
    },
    get freeBytes() {
      return free
    },
  }
}

async function systemFreeBytes(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir)
  return bavail * bsize
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
