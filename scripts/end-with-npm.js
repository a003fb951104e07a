/** Ends this process with SIGTERM when the npm that runs the script has ended. */
import { execFileSync } from 'node:child_process'

const POLL_MS = 500

/**
 * npm runs a script through a shell, and the shell outlives an npm that was killed. So this function watches npm itself,
 * which is the parent of the shell. The demo watches its own parent in the same way.
 */
export function endWithNpm() {
  if (process.env.npm_lifecycle_event === undefined || process.platform === 'win32') return
  let npm = 0
  try {
    npm = Number(execFileSync('ps', ['-o', 'ppid=', '-p', String(process.ppid)], { encoding: 'utf8' }))
  } catch {
    // Without `ps` this process ends only at a signal that npm passes on.
  }
  if (!(npm > 1)) return
  setInterval(() => {
    try {
      process.kill(npm, 0)
    } catch {
      process.kill(process.pid, 'SIGTERM')
    }
  }, POLL_MS).unref()
}
