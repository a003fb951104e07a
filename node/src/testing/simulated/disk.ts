/**
 * A machine's disk. CONTRIBUTING "Simulation". Every write takes time, is complete or absent, and outlives the process.
 * A process killed before its write reached the disk leaves the old value. A process killed after that, but before its
 * write returned, leaves the new value. `fileRecords` promises the same by a rename, and LevelDB by its log.
 */
import { oneAtATime } from '@geotrace/core-wasm'
import { FederationError } from '@geotrace/core-wasm/wire'
import type { OpenRecords, Records } from '../../platform/file-records.ts'
import type { QuotaDisk } from '../../salt/quota/quota-disk.ts'
import type { Life } from './machine.ts'
import type { SeededRandom } from './seeded-random.ts'

/** A disk under load: most writes are quick, some wait in the disk's queue. */
const WRITE_MS = 2
const SLOW_WRITE_MS = 400
const SLOW_SHARE = 0.05

export interface SimulatedDisk {
  openRecords(life: Life): OpenRecords
  openQuotaDisk(life: Life): (dir: string) => Promise<QuotaDisk>
  /** Runs one atomic write of `life`. The write takes effect between two waits. */
  write<T>(life: Life, apply: () => T | Promise<T>): Promise<T>
}

export function simulatedDisk(random: SeededRandom): SimulatedDisk {
  const files = new Map<string, Uint8Array>()
  const quotas = new Map<string, [key: Uint8Array, value: Uint8Array]>()
  let quotaHolder: Life | undefined

  const latencyMs = (): number => (random.chance(SLOW_SHARE) ? random.between(WRITE_MS, SLOW_WRITE_MS) : WRITE_MS)
  const write = async <T>(life: Life, apply: () => T | Promise<T>): Promise<T> => {
    await life.wait(latencyMs())
    const result = await apply()
    await life.wait(latencyMs() / 2)
    return result
  }

  return {
    write,
    openRecords: (life) => async (dir) => {
      const inTurn = oneAtATime()
      const records: Records = {
        get: async (name) => files.get(`${dir}/${name}`)?.slice(),
        put: (name, value) => {
          const bytes = value.slice()
          return inTurn(() => write(life, () => void files.set(`${dir}/${name}`, bytes)))
        },
        update: (name, change) =>
          inTurn(() => {
            const bytes = change(files.get(`${dir}/${name}`)?.slice()).slice()
            return write(life, () => void files.set(`${dir}/${name}`, bytes))
          }),
        remove: (name) => inTurn(() => write(life, () => void files.delete(`${dir}/${name}`))),
      }
      return records
    },
    openQuotaDisk: (life) => async (dir) => {
      if (quotaHolder !== undefined && !quotaHolder.isOver) {
        throw new FederationError('STORE_LOCKED', `another node runs in ${dir}`, { dir })
      }
      quotaHolder = life
      const name = (key: Uint8Array): string => Buffer.from(key).toString('hex')
      return {
        get: async (key) => quotas.get(name(key))?.[1].slice(),
        put: (entries) =>
          write(life, () => {
            for (const [key, value] of entries) quotas.set(name(key), [key, value.slice()])
          }),
        delete: (keys) =>
          write(life, () => {
            for (const key of keys) quotas.delete(name(key))
          }),
        async *entries(start = new Uint8Array(0)) {
          for (const [hex, entry] of [...quotas]) if (hex.startsWith(name(start))) yield entry
        },
        close: async () => {
          quotaHolder = undefined
        },
      }
    },
  }
}
