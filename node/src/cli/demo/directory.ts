/** The temporary directory of a demo. Its name holds the process id, so that later demos can delete what a kill left. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The start of the name. The process id, a dash and six random characters follow. */
const PREFIX = 'geotrace-demo-'

export function createDemoDirectory(): string {
  return mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`))
}

/** The directory of a demo that runs; undefined when no demo runs. */
export function runningDemoDirectory(): string | undefined {
  return demoDirectories().find((dir) => existsSync(join(dir, 'admin.json')))
}

/** Deletes the directories of demos whose process no longer exists. */
export function removeLeftovers(): void {
  for (const dir of demoDirectories()) if (!isRunning(pidOf(dir))) rmSync(dir, { recursive: true, force: true })
}

function demoDirectories(): string[] {
  return readdirSync(tmpdir())
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => join(tmpdir(), name))
}

function pidOf(dir: string): number {
  return Number.parseInt(dir.slice(join(tmpdir(), PREFIX).length), 10)
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
