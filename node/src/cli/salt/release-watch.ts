/**
 * Compares the web apps of the federation with the release in the node's directory, once a day while the node runs.
 * node/README.md "What runs". A server can show other files to other addresses, and each volunteer asks from another one.
 */
import type { Clock } from '@geotrace/core-wasm'
import { HOUR_MS, MINUTE_MS } from '@geotrace/core-wasm/wire'
import type { AppCheck, ReleaseStatus } from '../../admin/node-status.ts'
import type { Log } from '../../platform/log.ts'
import { checkApps } from '../verify/app-checks.ts'
import type { OwnRelease } from '../verify/own-release.ts'

/** The node has joined by then. */
const FIRST_MS = 2 * MINUTE_MS
/** A roster can name another app at any time. An app is fetched once a day all the same. */
const AGAIN_MS = HOUR_MS

interface WatchInit {
  dir: string
  /** Undefined when the directory has no release; then nothing is fetched. */
  release: OwnRelease | undefined
  /** Origins of the apps in the newest roster. */
  apps(): readonly string[]
  clock: Clock
  log: Log
}
export interface ReleaseWatch {
  status(): ReleaseStatus
  /** A watch that runs keeps the process alive until `stop`. */
  start(): void
  stop(): void
}

export function watchRelease({ dir, release, apps, clock, log }: WatchInit): ReleaseWatch {
  let checks: readonly AppCheck[] = []
  let cancel = (): void => {}
  const check = async (): Promise<void> => {
    if (release === undefined) return
    checks = await checkApps({ dir, release, apps: apps(), nowMs: clock.now() })
    const wrong = checks.filter(({ differences = 0 }) => differences > 0).length
    if (wrong > 0) log.warn('app.differs', { apps: wrong })
  }
  let stopped = false
  // The next check waits for this one, because both write the same file.
  const tick = (): void => {
    check()
      .catch(() => log.error('app.check-failed'))
      .finally(() => {
        if (!stopped) cancel = clock.setTimer(tick, AGAIN_MS)
      })
  }
  return {
    status() {
      const seen = apps().map((origin) => checks.find((item) => item.origin === origin) ?? { origin })
      if (release === undefined) return { apps: seen }
      const { id, differences } = release
      const [first] = differences
      return { id, differences: differences.length, ...(first && { first: first.path }), apps: seen }
    },
    start() {
      cancel = clock.setTimer(tick, FIRST_MS)
    },
    stop() {
      stopped = true
      cancel()
    },
  }
}
