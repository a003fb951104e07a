/**
 * `admin.json` in a peer's directory: its role, the port of the control server and the token for it. node/README.md, "Operating".
 * The mode is 0600, because a process that reads the file can control the peer.
 */
import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../platform/atomic-file.ts'
import { isForeign, userId } from '../platform/own-files.ts'

const ADMIN_FILE = 'admin.json'
const TOKEN = /^[0-9a-f]{64}$/
const PORT_MAX = 65_535
/** The largest process id of Linux. */
const PID_MAX = 4_194_304

/** The part of a process that uses the directory. */
export type Role = 'salt' | 'central' | 'demo'

export interface AdminFile {
  role: Role
  port: number
  token: string
  pid: number
}

export async function writeAdminFile(dir: string, file: AdminFile): Promise<void> {
  await replaceFile(join(dir, ADMIN_FILE), `${JSON.stringify(file)}\n`)
}

/** Undefined when the file is missing, is not a valid admin file, or belongs to another user. */
export async function readAdminFile(dir: string): Promise<AdminFile | undefined> {
  try {
    if (isForeign(join(dir, ADMIN_FILE)) && userId() !== 0) return undefined
    const file = JSON.parse(await readFile(join(dir, ADMIN_FILE), 'utf8')) as Partial<AdminFile> | null
    const { role, port, token, pid } = file ?? {}
    return isRole(role) && isWhole(port, PORT_MAX) && isToken(token) && isWhole(pid, PID_MAX)
      ? { role, port, token, pid }
      : undefined
  } catch {
    return undefined
  }
}

/** Only the central peer has a store, and only a salt node has a quota table. Undefined for a peer that never ran. */
export function roleOnDisk(dir: string): 'salt' | 'central' | undefined {
  if (existsSync(join(dir, 'store'))) return 'central'
  return existsSync(join(dir, 'quota')) ? 'salt' : undefined
}

function isRole(role: unknown): role is Role {
  return role === 'salt' || role === 'central' || role === 'demo'
}

function isToken(value: unknown): value is string {
  return typeof value === 'string' && TOKEN.test(value)
}

function isWhole(value: unknown, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= max
}

/** Removes the file, unless another process has replaced it since. */
export async function removeAdminFile(dir: string, token: string): Promise<void> {
  if ((await readAdminFile(dir))?.token === token) await rm(join(dir, ADMIN_FILE), { force: true })
}
