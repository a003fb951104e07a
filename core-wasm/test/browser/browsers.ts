/**
 * The browsers that the tests run, without a driver. Each starts at a page of the test's own site with an empty profile,
 * and the pages report their results (report.js). Requests of the browser itself to the network are turned off.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

export interface Browser {
  readonly name: string
  /** The Debian package for `apt-get install`. */
  readonly debianPackage: string
  readonly commands: readonly string[]
  args(profile: string, url: string): string[]
}

export interface RunningBrowser {
  /** The output of the browser so far, for a test whose page reports nothing. */
  log(): string
  stop(): Promise<void>
}

/** Settings for a receiver that gives one inaccurate position, and a user who allows access to it. */
const POSITION = { location: { lat: 52.53, lng: 13.405 }, accuracy: 50 }
const FIREFOX_SETTINGS = {
  'app.normandy.enabled': false,
  'app.update.enabled': false,
  'browser.aboutwelcome.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.update.enabled': false,
  'geo.provider.network.url': `data:application/json,${JSON.stringify(POSITION)}`,
  'geo.prompt.testing': true,
  'geo.prompt.testing.allow': true,
  'geo.provider.testing': true,
  'geo.provider.use_geoclue': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'permissions.default.geo': 1,
  'services.settings.server': 'data:,',
  'toolkit.telemetry.enabled': false,
}

export const BROWSERS: readonly Browser[] = [
  {
    name: 'Chromium',
    debianPackage: 'chromium',
    commands: ['chromium', 'chromium-browser', 'google-chrome'],
    args: (profile, url) => [
      // The root user, common in CI, has no sandbox.
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-dev-shm-usage'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-extensions'],
      ...[`--user-data-dir=${profile}`, url],
    ],
  },
  {
    name: 'Firefox',
    debianPackage: 'firefox-esr',
    commands: ['firefox-esr', 'firefox'],
    args(profile, url) {
      const settings = Object.entries(FIREFOX_SETTINGS)
      const lines = settings.map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`)
      writeFileSync(join(profile, 'user.js'), lines.join(''))
      return ['--headless', '--no-remote', '--profile', profile, url]
    },
  },
]

/** The path of the browser's program; undefined when it is not installed. */
export function programOf({ commands }: Browser): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return commands.flatMap((command) => folders.map((folder) => join(folder, command))).find(isExecutable)
}

export function start(browser: Browser, program: string, url: string): RunningBrowser {
  const profile = mkdtempSync(join(tmpdir(), `geotrace-${browser.debianPackage}-`))
  // The browser gets a process group of its own, so that its helper processes end with it.
  const child = spawn(program, browser.args(profile, url), { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (log += text))
  const closed = new Promise<void>((resolve) => child.on('close', () => resolve()))
  return {
    log: () => log,
    async stop() {
      killGroup(child)
      await closed
      rmSync(profile, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}

function killGroup({ pid }: ChildProcess): void {
  try {
    process.kill(-pid!, 'SIGKILL')
  } catch {
    // The process ended by itself.
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
