/**
 * Ends a process whose event loop is blocked, so that the service manager starts it again. node/README.md "Under load and
 * attack". A blocked loop cannot notice that itself, so a second thread runs this same file and watches. The thread counts
 * its own timer ticks, not wall time: after a sleep of the machine or a SIGSTOP it has counted no missed beat.
 */
import { writeSync } from 'node:fs'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

/** A node answers in milliseconds and has no work that takes seconds. */
const STALL_MAX_MS = 5_000
const BEAT_MS = 250
const STDERR = 2

interface Watchdog {
  stop(): Promise<void>
}

interface Watched {
  watchdog: { beats: Int32Array; stallMaxMs: number; name: string }
}

export function startWatchdog(name: string, stallMaxMs = STALL_MAX_MS): Watchdog {
  const beats = new Int32Array(new SharedArrayBuffer(4))
  const watched: Watched = { watchdog: { beats, stallMaxMs, name } }
  const thread = new Worker(new URL(import.meta.url), { workerData: watched })
  thread.unref()
  const timer = setInterval(() => Atomics.add(beats, 0, 1), BEAT_MS).unref()
  return {
    async stop() {
      clearInterval(timer)
      await thread.terminate()
    },
  }
}

function watch({ beats, stallMaxMs, name }: Watched['watchdog']): void {
  let last = 0
  let missed = 0
  setInterval(() => {
    const now = Atomics.load(beats, 0)
    missed = now === last ? missed + 1 : 0
    last = now
    if (missed * BEAT_MS < stallMaxMs) return
    const line = { level: 60, time: Date.now(), role: name, stalledMs: missed * BEAT_MS, msg: 'peer.stalled' }
    writeSync(STDERR, `${JSON.stringify(line)}\n`)
    // A blocked main thread handles no other signal. The files on disk survive a SIGKILL at any time.
    process.kill(process.pid, 'SIGKILL')
  }, BEAT_MS)
}

if (!isMainThread && parentPort !== null && isWatched(workerData)) watch(workerData.watchdog)

function isWatched(data: unknown): data is Watched {
  return typeof data === 'object' && data !== null && 'watchdog' in data
}
