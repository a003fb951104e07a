/** Debian's Chromium through Playwright. Without one the tests are skipped, loudly; in CI it is obligatory. */
import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'
import { describe } from 'vitest'

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
const found = existsSync(executablePath)
if (!found && process.env.CI) throw new Error(`CI needs a Chromium: apt-get install chromium, or CHROMIUM=PATH`)

/** `describe` where there is a Chromium. */
export function inChromium(title: string, body: () => void): void {
  describe.skipIf(!found)(found ? title : `${title} (SKIPPED: no Chromium at ${executablePath})`, body)
}

/** `more`: switches of Chromium's command line. */
export function launchChromium(more: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath,
    // A container gives neither namespaces nor a large /dev/shm; background networking would only knock at closed doors.
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
