/**
 * Small JSON files with a CRC-32 in a second line, replaced atomically. PROTOCOL.md §8. Throws STORAGE_CORRUPT.
 */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { crc32 } from 'node:zlib'
import { replaceFile } from '../../platform/atomic-file.ts'
import { corrupt } from './sealed-value.ts'

export async function writeCheckedFile(path: string, content: object): Promise<void> {
  const text = JSON.stringify(content)
  await replaceFile(path, `${text}\n${toCheck(text)}\n`)
}

/** The content; undefined when there is no such file. Throws STORAGE_CORRUPT for a file that does not fit its checksum. */
export async function readCheckedFile(path: string): Promise<unknown> {
  let whole: string
  try {
    whole = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const [text = '', check, ...rest] = whole.split('\n')
  if (check !== toCheck(text) || rest.join('') !== '' || rest.length !== 1) corrupt(basename(path))
  return JSON.parse(text) as unknown
}

function toCheck(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}
