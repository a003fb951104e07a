/**
 * A suite that runs once in each browser. A missing browser fails the suite under CI. Elsewhere its tests are skipped, and
 * a line says what to install.
 */
import { describe } from 'vitest'
import { BROWSERS, type Browser, programOf } from './browsers.ts'

export function describeInBrowsers(title: string, suite: (browser: Browser, program: string) => void): void {
  for (const browser of BROWSERS) {
    const program = programOf(browser)
    if (program === undefined) {
      const missing = `${browser.name} is missing: apt-get install ${browser.debianPackage}`
      if (process.env.CI) throw new Error(missing)
      process.stderr.write(`SKIPPED: ${title} in ${browser.name}. ${missing}\n`)
    }
    describe.skipIf(program === undefined)(`${title} in ${browser.name}`, () => suite(browser, program!))
  }
}
