/**
 * The node's databases and files on a disk that is full for a while. Argument: `dir`. Prints one result for each.
 * FAULTS_LEFT sets the bytes that are left on the full disk, and FAULTS_SUBJECT a part of the name of the only subject.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '@geotrace/core-wasm'
import { bytesToRows, EPOCHS_PER_DAY, equalBytes } from '@geotrace/core-wasm/wire'
import { liveOnFullDisk } from '../../../../../scripts/small-disk.js'
import { openAuditLog, readAuditLog } from '../../../../src/admin/audit-log.ts'
import { erasedUsers } from '../../../../src/central/store/erased-users.ts'
import { levelStore } from '../../../../src/central/store/level/level-store.ts'
import { hashToKey } from '../../../../src/central/store/row-set.ts'
import { fileRecords } from '../../../../src/platform/file-records.ts'
import { systemRandom } from '../../../../src/platform/random.ts'
import { levelQuotaDisk } from '../../../../src/salt/quota/quota-disk.ts'
import { deposit, group, hash, id, row, rowsOf, syncId } from '../sample.ts'

const EPOCH = 100 * EPOCHS_PER_DAY
const dir = process.argv[2]!
const { FAULTS_LEFT = '60000', FAULTS_SUBJECT = '' } = process.env
/** As long as the keys of users in the store. */
const toErasedKey = (n: number) => id(n).slice(0, 16)
const bytesOf = (n: number) => new Uint8Array(3_000).fill(n)

const subjects = {
  'central store': async () => {
    const store = await levelStore({ dir: join(dir, 'store'), random: systemRandom, clock: systemClock() })
    const user = await store.addUser(id('a'), 1, 100)
    const make = (n: number) => {
      const rows = Array.from({ length: 60 }, (_, i) => row(`${n}/${i}`))
      return deposit(user, n, [group(EPOCH + (n % 18), ...rows), group(EPOCH + 18 + (n % 18), row(`${n}/b`))])
    }
    return {
      // Every tenth write is a new user, so that the database of users meets the full disk too.
      write: (n: number) => (n % 10 === 0 ? store.addUser(id(n), 1, 100) : store.deposit(make(n))),
      has: async (n: number) => {
        if (n % 10 === 0) return (await store.findUser(id(n))) !== undefined
        const held = new Set((await rowsOf(store, EPOCH + (n % 18), user)).map(({ hash }) => hashToKey(hash)))
        const hasRows = bytesToRows(make(n).groups[0]!.rows).every(({ hash }) => held.has(hashToKey(hash)))
        return hasRows && (await store.findSync(user, syncId(n))) !== undefined
      },
      close: () => store.close(),
    }
  },
  'quota table': async () => {
    const disk = await levelQuotaDisk(join(dir, 'quota'))
    return {
      write: (n: number) => disk.put([[hash(n), bytesOf(n)]]),
      has: async (n: number) => (await disk.get(hash(n)))?.[0] === (n & 0xff),
      close: () => disk.close(),
    }
  },
  'file records': async () => {
    const records = await fileRecords(join(dir, 'records'))
    return {
      write: (n: number) => records.put(`record-${n}`, bytesOf(n)),
      has: async (n: number) => (await records.get(`record-${n}`))?.[0] === (n & 0xff),
      close: async () => {},
    }
  },
  'audit log': async () => {
    const log = await openAuditLog(dir, systemClock())
    return {
      write: (n: number) => log.append('report.retract', { report: n }),
      has: async (n: number) => {
        const { lines, broken } = await readAuditLog(dir)
        return broken.length === 0 && lines.some(({ details }) => details.report === n)
      },
      close: () => log.close(),
    }
  },
  'erased users': async () => {
    const list = erasedUsers(join(dir, 'erased-users'))
    return {
      write: (n: number) => list.note(toErasedKey(n), n),
      has: async (n: number) => (await list.list()).some(({ key }) => equalBytes(key, toErasedKey(n))),
      close: async () => {},
    }
  },
}
/** The bytes that are left for files of short lines. */
const LEFT: Record<string, number> = { 'audit log': 0, 'erased users': 0 }

const results: Record<string, unknown> = {}
for (const [name, open] of Object.entries(subjects)) {
  if (!name.includes(FAULTS_SUBJECT)) continue
  mkdirSync(dir, { recursive: true })
  results[name] = await liveOnFullDisk({ dir, open, count: 100, leftBytes: LEFT[name] ?? Number(FAULTS_LEFT) })
}
process.stdout.write(JSON.stringify(results))
process.exit(0)
