/**
 * Whoever can read a node's keys is that node, and has its operator's vote. So a node does not start while its
 * directory is open to others or a key file is. Throws FILE_EXPOSED. Windows has no such modes; its profile
 * directories are their owner's.
 */
import { statSync } from 'node:fs'
import { FederationError } from '@geotrace/core-wasm/wire'

/** Rights of the group and of everybody else. */
const OTHERS = 0o077

export interface LoosePermission {
  path: string
  mode: number
  /** The command that mends it. */
  mend: string
}

/** Undefined when only its owner may use `path`, or when it is not there. */
export function exposureOf(path: string): LoosePermission | undefined {
  if (process.platform === 'win32') return undefined
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined || (stat.mode & OTHERS) === 0) return undefined
  return { path, mode: stat.mode & 0o777, mend: `chmod ${stat.isDirectory() ? 700 : 600} '${path}'` }
}

export function assertPrivate(path: string): void {
  const exposure = exposureOf(path)
  if (exposure === undefined) return
  throw new FederationError('FILE_EXPOSED', exposureAdvice(exposure), { path })
}

export function exposureAdvice({ path, mode, mend }: LoosePermission): string {
  return `others on this machine can reach ${path} (mode ${mode.toString(8).padStart(4, '0')}): run \`${mend}\`; if somebody may have read the keys, make new ones`
}
