/** The program of a worker process of workers.ts. It receives a seed and returns its history, until the parent ends. */
import { loadCore } from '@geotrace/core-wasm'
import { cpuSecondsSince } from './campaign.ts'
import { drawScale, runHistory } from './history.ts'
import type { Report, Task } from './workers.ts'

const core = await loadCore()
const report = (said: Report): void => void process.send!(said)

process.on('message', async ({ seed, largest }: Task) => {
  const started = process.cpuUsage()
  const lived = await runHistory({ seed, core, scale: drawScale(seed, largest) }).then(
    (history) => ({ history }),
    (error: unknown) => ({ failure: error instanceof Error ? `${error.stack}` : `${error}` }),
  )
  report({ ...lived, cpuSeconds: cpuSecondsSince(started) })
})
process.on('disconnect', () => process.exit())
report({ cpuSeconds: 0 })
