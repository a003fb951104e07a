/** Whether a file belongs to the user of this process. Windows has no user ids; its profile directories belong to one user. */
import { lstatSync, statSync } from 'node:fs'

/** The id of the user of this process; undefined on Windows. */
export function userId(): number | undefined {
  return process.getuid?.()
}

/** Whether another user owns what `path` leads to. False when nothing is there. */
export function isForeign(path: string, user = userId()): boolean {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat !== undefined && user !== undefined && stat.uid !== user
}

/** Whether `path` itself, and not a link, is a directory of this user. */
export function isOwnDirectory(path: string, user = userId()): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  return stat?.isDirectory() === true && (user === undefined || stat.uid === user)
}
