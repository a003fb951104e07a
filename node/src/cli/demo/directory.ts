/** The temporary directory of a demo. Its name holds the process id, so that later demos can delete what a kill left. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isOwnDirectory, userId } from '../../platform/own-files.ts'

/** The start of the name. The process id, a dash and six random characters follow. */
const PREFIX = 'geotrace-demo-'

export function createDemoDirectory(): string {
  return mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`))
}

/** The directories of this user's demos that run. */
export function runningDemoDirectories(user = userId()): string[] {
  return demoDirectories(user).filter((dir) => existsSync(join(dir, 'admin.json')) && isRunning(pidOf(dir)))
}

/** Deletes the directories of this user's demos whose process no longer exists. */
export function removeLeftovers(user = userId()): void {
  for (const dir of demoDirectories(user)) if (!isRunning(pidOf(dir))) rmSync(dir, { recursive: true, force: true })
}

/** Every user of the machine may make directories of such names here, and only its own user can delete one. */
function demoDirectories(user: number | undefined): string[] {
  return readdirSync(tmpdir())
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => join(tmpdir(), name))
    .filter((dir) => isOwnDirectory(dir, user))
}

/** The process id of a demo, which is in the name of its directory. */
export function pidOf(dir: string): number {
  return Number.parseInt(dir.slice(join(tmpdir(), PREFIX).length), 10)
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
