/** When the last backup of a central peer was made and read whole, in `last-backup` of its directory: Unix ms. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../../../platform/atomic-file.ts'

const FILE = 'last-backup'

export async function noteBackup(dir: string, atMs: number): Promise<void> {
  await replaceFile(join(dir, FILE), `${atMs}\n`)
}

/** Undefined when no backup was made, or the file holds no time. */
export async function readLastBackup(dir: string): Promise<number | undefined> {
  const text = await readFile(join(dir, FILE), 'utf8').catch(() => '')
  const at = Number(text)
  return text !== '' && Number.isSafeInteger(at) ? at : undefined
}
