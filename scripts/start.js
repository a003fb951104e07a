/** `npm start`: from a fresh clone to the running demo federation, in this one process and its peers. */
import { execFileSync } from 'node:child_process'
import { setUp } from './setup.js'

endWithNpm()
setUp()
const { main } = await import('../node/dist/cli/main.js')
await main(['demo', ...process.argv.slice(2)])

/**
 * npm runs this through a shell, which outlives an npm that was killed; so npm itself, the shell's parent, is watched.
 * The demo does the same for its own parent.
 */
function endWithNpm() {
  if (process.env.npm_lifecycle_event === undefined || process.platform === 'win32') return
  let npm = 0
  try {
    npm = Number(execFileSync('ps', ['-o', 'ppid=', '-p', String(process.ppid)], { encoding: 'utf8' }))
  } catch {
    // Without `ps` only a signal that npm passes on ends this process.
  }
  if (!(npm > 1)) return
  setInterval(() => {
    try {
      process.kill(npm, 0)
    } catch {
      process.kill(process.pid, 'SIGTERM')
    }
  }, 500).unref()
}
