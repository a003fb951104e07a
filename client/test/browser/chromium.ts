/** Debian's Chromium through Playwright. Without Chromium the tests are skipped with a message, and CI fails. */
import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'
import { describe } from 'vitest'

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
const found = existsSync(executablePath)
if (!found && process.env.CI) throw new Error(`CI needs a Chromium: apt-get install chromium, or CHROMIUM=PATH`)

/** `describe` on a machine with Chromium. */
export function inChromium(title: string, body: () => void): void {
  describe.skipIf(!found)(found ? title : `${title} (SKIPPED: no Chromium at ${executablePath})`, body)
}

/** How long a test waits for a page, ms: long, because a busy machine may need a minute for what takes a second. */
export const PAGE_WAIT_MS = 200_000

/** Starts Chromium. `more` are options of its command line. */
export function launchChromium(more: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath,
    // A container has no namespaces and a small /dev/shm. Background networking fails without the internet.
    args: [
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-quic',
      ...more,
    ],
  })
}
