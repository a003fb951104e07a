/**
 * `admin.json` in a node's directory: where its control server listens and the token that opens it. README "Operating".
 * Mode 0600: whoever may read the node's directory may control the node, and nobody else.
 */
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../platform/atomic-file.ts'

export const ADMIN_FILE = 'admin.json'

export interface AdminFile {
  port: number
  token: string
  pid: number
}

export async function writeAdminFile(dir: string, file: AdminFile): Promise<void> {
  await replaceFile(join(dir, ADMIN_FILE), `${JSON.stringify(file)}\n`)
}

/** Undefined when there is none, or none that can be read as one. */
export async function readAdminFile(dir: string): Promise<AdminFile | undefined> {
  try {
    const file = JSON.parse(await readFile(join(dir, ADMIN_FILE), 'utf8')) as Partial<AdminFile> | null
    const { port, token, pid } = file ?? {}
    return typeof port === 'number' && typeof token === 'string' && typeof pid === 'number'
      ? { port, token, pid }
      : undefined
  } catch {
    return undefined
  }
}

/** Leaves a file that another process wrote since. */
export async function removeAdminFile(dir: string, token: string): Promise<void> {
  if ((await readAdminFile(dir))?.token === token) await rm(join(dir, ADMIN_FILE), { force: true })
}
