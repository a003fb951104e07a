/** Pages for tests: an entry of this folder, bundled by Vite as an app would bundle it, served under the app's policy. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startWebServer, type WebServer } from '@geotrace/node/testing'
import { build } from 'vite'

const here = dirname(fileURLToPath(import.meta.url))

/** Each entry as the only script of an otherwise empty page, `NAME.html`. */
export async function servePages(
  entries: Readonly<Record<string, string>>,
  documents: Record<string, unknown> = {},
): Promise<WebServer> {
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
      // Nobody reads them, and nobody downloads them.
      minify: false,
      reportCompressedSize: false,
      rolldownOptions: {
        input: Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, resolve(here, entry)])),
        output: { entryFileNames: '[name].js' },
        preserveEntrySignatures: 'strict',
      },
    },
  })
  for (const name of Object.keys(entries)) {
    const head = '<!doctype html><html lang="en"><title>page</title><link rel="icon" href="data:,">'
    await writeFile(join(folder, `${name}.html`), `${head}<script type="module" src="/${name}.js"></script>`)
  }
  const server = await startWebServer({ folder, documents })
  return {
    url: server.url,
    async stop() {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
