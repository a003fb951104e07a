/** A browser, a federation and the test pages, which the Chromium suites share because their start takes long. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LocalFederation, startFederation, type WebServer } from '@geotrace/node/testing'
import type { Browser } from 'playwright-core'
import { launchChromium } from './chromium.ts'
import { servePages } from './pages.ts'

export interface Stage {
  readonly browser: Browser
  readonly federation: LocalFederation
  /** Serves `quickstart.html`, `react.html`, `spread.html` and `storage.html`. */
  readonly pages: WebServer
  /** A folder for files that a test saves. */
  readonly dir: string
  close(): Promise<void>
}

const PAGES = {
  quickstart: '../../examples/quickstart.ts',
  react: 'react-page.ts',
  spread: 'spread-page.tsx',
  storage: 'storage-page.ts',
}

export async function openStage(): Promise<Stage> {
  const dir = await mkdtemp(join(tmpdir(), 'geotrace-stage-'))
  const [federation, browser] = await Promise.all([startFederation({ dir: join(dir, 'federation') }), launchChromium()])
  const pages = await servePages(PAGES, { '/federation.json': federation.manifest })
  return {
    browser,
    federation,
    pages,
    dir,
    async close() {
      await Promise.all([browser.close(), pages.stop(), federation.stop()])
      await rm(dir, { recursive: true, force: true })
    },
  }
}
