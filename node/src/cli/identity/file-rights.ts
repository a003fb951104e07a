/**
 * File permissions of a node's directory and keys. Another user who can read the keys can act as the node and vote for its
 * operator, so a node refuses to start then. Windows has no such modes; its profile directories belong to one user.
 * Throws FILE_EXPOSED.
 */
import { statSync } from 'node:fs'
import { FederationError } from '@geotrace/core-wasm/wire'
import { isForeign, userId } from '../../platform/own-files.ts'

/** The permission bits of the group and of all other users. */
const OTHERS = 0o077

interface LoosePermission {
  path: string
  mode: number
  /** The command that corrects the permission. */
  command: string
}

/** Undefined when only the owner may use `path`, or when `path` does not exist. */
export function loosePermissionOf(path: string): LoosePermission | undefined {
  if (process.platform === 'win32') return undefined
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined || (stat.mode & OTHERS) === 0) return undefined
  return { path, mode: stat.mode & 0o777, command: `chmod ${stat.isDirectory() ? 700 : 600} '${path}'` }
}

/** Throws FILE_EXPOSED when other users can access `path`, or when another user owns it. Root may use what others own. */
export function assertPrivate(path: string, user = userId()): void {
  if (user !== 0 && isForeign(path, user)) {
    const next = 'name a directory or file of your own'
    throw new FederationError('FILE_EXPOSED', `${path} belongs to another user of this machine; ${next}`, {
      path,
      next,
    })
  }
  const permission = loosePermissionOf(path)
  if (permission === undefined) return
  const { what, next } = permissionAdvice(permission)
  throw new FederationError('FILE_EXPOSED', `${what}; ${next}`, { path, next })
}

export function permissionAdvice({ path, mode, command }: LoosePermission): { what: string; next: string } {
  return {
    what: `other users of this machine can access ${path} (mode ${mode.toString(8).padStart(4, '0')})`,
    next: `run \`${command}\`, and replace the secret in it if somebody may have read it`,
  }
}
