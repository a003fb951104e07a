/**
 * Builds the web app: `npm run build` does. The service worker gets the list of what it must keep, so that the app opens
 * without a network after its first visit.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vite'

const root = dirname(fileURLToPath(import.meta.url))
const PUBLIC = ['/manifest.webmanifest', '/icon.svg', '/icon-maskable.svg', '/advice.json']

function serviceWorker(): Plugin {
  return {
    name: 'geotrace-service-worker',
    apply: 'build',
    generateBundle(_options, bundle) {
      const files = [
        '/',
        ...PUBLIC,
        ...Object.keys(bundle)
          .filter((name) => name !== 'index.html')
          .map((name) => `/${name}`),
      ]
      const source = readFileSync(join(root, 'src/service-worker.js'), 'utf8')
      const version = createHash('sha256')
        .update(source)
        .update(files.join())
        .update(JSON.stringify(bundle['index.html'] ?? ''))
      for (const name of PUBLIC) version.update(readFileSync(join(root, 'public', name)))
      this.emitFile({
        type: 'asset',
        fileName: 'service-worker.js',
        source: source
          .replace('__VERSION__', version.digest('hex').slice(0, 16))
          .replace("'__FILES__'", JSON.stringify(files)),
      })
    },
  }
}

export default defineConfig({
  root,
  // The sources, as the tests read them: the build of the packages need not come first.
  resolve: { conditions: ['source', 'browser', 'module', 'import', 'default'] },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // Web Locks, WebAssembly, class fields, top-level await: Chromium 100, Firefox 100, Safari 15.4.
    target: ['chrome100', 'firefox100', 'safari15.4'],
    // Inlined files would be data: URLs, which the policy refuses for scripts and styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 800,
  },
  plugins: [serviceWorker()],
})
