/**
 * The memory that a process holds by itself. LevelDB maps its tables into the process. The kernel counts the pages that were
 * read as resident, and takes them back when it needs room, so a limit must not count them.
 */
import { readFileSync } from 'node:fs'

/** Bytes of anonymous memory; all resident bytes on systems without /proc. */
export function ownMemory(): number {
  let status: string
  try {
    status = readFileSync('/proc/self/status', 'utf8')
  } catch {
    return process.memoryUsage.rss()
  }
  const kib = /^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]
  return kib === undefined ? process.memoryUsage.rss() : Number(kib) * 1_024
}
