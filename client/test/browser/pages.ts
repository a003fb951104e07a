/** Pages for tests. Vite bundles an entry of this folder as an app would, and a server serves it under the app's policy. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, extname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CONTENT_SECURITY_POLICY, startWebServer, type WebServer } from '@geotrace/node/testing'
import { build } from 'vite'
import { openSite, type Site } from '../../../core-wasm/test/browser/site.ts'
import { mapData } from '../../app/vite.config.ts'

const here = dirname(fileURLToPath(import.meta.url))
const REPORT = '../../../core-wasm/test/browser/report.js'

/** Serves each entry as the only script, with its styles, of an otherwise empty page, `NAME.html`. */
export async function servePages(
  entries: Readonly<Record<string, string>>,
  documents: Record<string, unknown> = {},
): Promise<WebServer> {
  const folder = await bundle(entries)
  const assets = await readdir(join(folder, 'assets')).catch((): string[] => [])
  for (const name of Object.keys(entries)) {
    const head = '<!doctype html><html lang="en"><title>page</title><link rel="icon" href="data:,">'
    const styles = assets.filter((file) => file.startsWith(`${name}-`) && file.endsWith('.css'))
    const links = styles.map((file) => `<link rel="stylesheet" href="/assets/${file}">`)
    await writeFile(
      join(folder, `${name}.html`),
      `${head}${links.join('')}<script type="module" src="/${name}.js"></script>`,
    )
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

/**
 * Serves each page of several entries as `NAME.html`, for browsers without a driver. A page has an `<output>`, and a script
 * that reports the text of this output. The policy is that of the web app, except for the targets of connections.
 */
export async function openReportingSite(
  pages: Readonly<Record<string, readonly string[]>>,
  documents: Record<string, unknown>,
  connectTo: (path: string) => string = () => "'self' ws:",
): Promise<Site> {
  const entries = [REPORT, ...Object.values(pages).flat()]
  const folder = await bundle(Object.fromEntries(entries.map((entry) => [basename(entry, extname(entry)), entry])))
  const files = new Map<string, string | Buffer>()
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    files.set(`/${relative(folder, path)}`, await readFile(path))
  }
  await rm(folder, { recursive: true, force: true })
  for (const [name, own] of Object.entries(pages)) {
    const sources = [REPORT, ...own].map((entry) => `/${basename(entry, extname(entry))}.js`)
    const scripts = sources.map((source) => `<script type="module" src="${source}"></script>`)
    files.set(`/${name}.html`, `<!doctype html><html lang="en"><title>page</title><output></output>${scripts.join('')}`)
  }
  for (const [path, value] of Object.entries(documents)) files.set(path, JSON.stringify(value))
  const policyOf = (path: string) =>
    CONTENT_SECURITY_POLICY.replace(/connect-src [^;]*/, `connect-src ${connectTo(path)}`)
  return openSite({ files, policyOf })
}

/** Bundles the entries and resolves with their folder. */
async function bundle(entries: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'geotrace-page-'))
  await build({
    configFile: false,
    logLevel: 'error',
    root: here,
    // React mounts twice in StrictMode only while it develops.
    define: { 'process.env.NODE_ENV': '"development"' },
    plugins: [mapData()],
    resolve: { conditions: ['source', 'browser', 'module', 'import', 'default'] },
    build: {
      outDir: folder,
      emptyOutDir: true,
      modulePreload: false,
      target: 'es2022',
      // No person reads or downloads these files, so do not minify them.
      minify: false,
      reportCompressedSize: false,
      rolldownOptions: {
        input: Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, resolve(here, entry)])),
        output: { entryFileNames: '[name].js' },
        preserveEntrySignatures: 'strict',
      },
    },
  })
  return folder
}
