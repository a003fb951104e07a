/** Pages for tests: an entry of this folder, bundled by Vite as an app would bundle it, served under the app's policy. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startWebServer, type WebServer } from '@geotrace/node/testing'
import { build } from 'vite'

const here = dirname(fileURLToPath(import.meta.url))

/** `entry` as the only script of an otherwise empty page. */
export async function servePage(entry: string, documents: Record<string, unknown> = {}): Promise<WebServer> {
  const folder = await mkdtemp(join(tmpdir(), 'geotrace-page-'))
  await build({
    configFile: false,
    logLevel: 'error',
    root: here,
    resolve: { conditions: ['source', 'browser', 'module', 'import', 'default'] },
    build: {
      outDir: folder,
      emptyOutDir: true,
      modulePreload: false,
      target: 'es2022',
      rolldownOptions: {
        input: { page: resolve(here, entry) },
        output: { entryFileNames: '[name].js' },
        preserveEntrySignatures: 'strict',
      },
    },
  })
  const page =
    '<!doctype html><html lang="en"><title>page</title><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>'
  await writeFile(join(folder, 'index.html'), page)
  const server = await startWebServer({ folder, documents })
  return {
    url: server.url,
    async stop() {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
