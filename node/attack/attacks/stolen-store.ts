/**
 * A18: a thief of the central peer's disk. The files are searched for the hashes of the database. An old copy is opened with
 * the keys that remain once the day was dropped, and another copy with the keys of another store.
 * CENTRAL.md, "The store, and backups".
 */
import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DAY_MS, EPOCH_MS, hexToBytes, isFederationError } from '@geotrace/core-wasm/wire'
import { levelStore } from '../../src/central/store/level/level-store.ts'
import { systemRandom } from '../../src/platform/random.ts'
import type { Attack, Figure } from '../lab/attack.ts'
import { storeOf } from '../lab/database.ts'
import { filesBelow, searchFiles } from '../lab/dump.ts'
import type { Lab } from '../lab/lab.ts'

export const stolenStore: Attack = {
  name: 'A18',
  title: 'A stolen disk or backup of the central peer shows the hashes of its users',
  attacker: 'every file of the store, old copies of a day, and the keys of today or of another store',
  meaning: 'The deposited hashes that a search finds in the files.',
  limit:
    'A thief who gets the key file as well reads the days that are kept. The blocks of an overwritten key file may survive on flash. A running central peer shows everything to whoever controls it.',
  isQuick: true,
  run: search,
}

async function search(lab: Lab): Promise<Figure> {
  const hashes = [...new Set(lab.rows.map(({ hash }) => hash))]
  // A hash could be stored as bytes, or as text in a log.
  const secrets = new Map(
    hashes.flatMap((hash) => [[hash, hexToBytes(hash)] as const, [`${hash} as text`, Buffer.from(hash)]]),
  )
  const files = filesBelow(storeOf(lab.dir))
  const found = searchFiles(files, secrets).size
  // The search finds what is there.
  const control = join(lab.dir, 'control')
  await writeFile(control, Buffer.concat(hashes.map(hexToBytes)))
  const controls = searchFiles([control], secrets).size
  const oldDay = await rowsOfDroppedDay(lab)
  const wrongKeys = await errorOfWrongKeys(lab)
  const holds = found === 0 && controls === hashes.length && oldDay === 0 && wrongKeys === 'STORAGE_CORRUPT'
  const more = {
    'hashes searched': hashes.length,
    'files searched': files.length,
    'hashes found in a file that has them': controls,
    'rows of a dropped day in an old copy': oldDay,
    'refusals with the keys of another store, 1 is all': Number(wrongKeys === 'STORAGE_CORRUPT'),
  }
  return { value: found, unit: 'hashes', gate: { rule: 'no hash, no old day, no wrong keys', holds }, more }
}

/** Drops the day of the hour from one copy, and opens a second copy, made before, with the keys that are left. */
async function rowsOfDroppedDay({ dir, clock, epoch }: Lab): Promise<number> {
  const [kept, old] = [join(dir, 'kept'), join(dir, 'old')]
  await copyStore(dir, kept)
  await copyStore(dir, old)
  const store = await levelStore({ dir: kept, random: systemRandom, clock })
  const before = await countRows(store, epoch)
  await store.dropBefore(Math.floor((epoch * EPOCH_MS) / DAY_MS) + 1)
  await store.close()
  await cp(`${kept}.keys`, `${old}.keys`)
  const copied = await levelStore({ dir: old, random: systemRandom, clock })
  try {
    if (before === 0) throw new Error('the day of the hour has no rows, so its copy proves nothing')
    return await countRows(copied, epoch)
  } finally {
    await copied.close()
  }
}

/** The error code of a store that is opened with the keys of another one. */
async function errorOfWrongKeys({ dir, clock }: Lab): Promise<string> {
  const [copy, other] = [join(dir, 'copy'), join(dir, 'other')]
  await copyStore(dir, copy)
  await (await levelStore({ dir: other, random: systemRandom, clock })).close()
  await cp(`${other}.keys`, `${copy}.keys`)
  try {
    await (await levelStore({ dir: copy, random: systemRandom, clock })).close()
    return 'none'
  } catch (error) {
    return isFederationError(error) ? error.code : String(error)
  }
}

async function copyStore(dir: string, copy: string): Promise<void> {
  await cp(storeOf(dir), copy, { recursive: true })
  await cp(`${storeOf(dir)}.keys`, `${copy}.keys`)
}

async function countRows(store: Awaited<ReturnType<typeof levelStore>>, epoch: number): Promise<number> {
  const { users } = await store.statistics()
  const all = await store.userRows(
    epoch,
    Array.from({ length: users }, (_, i) => i + 1),
  )
  return all.reduce((sum, rows) => sum + rows.length, 0)
}
