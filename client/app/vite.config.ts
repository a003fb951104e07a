/**
 * Builds the web app (`npm run build`). The service worker gets the list of files to keep, so that the app opens
 * without a network after its first visit.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import cityTimezones from 'city-timezones'
import { defineConfig, type Plugin } from 'vite'

const { cityMapping } = cityTimezones
/** Some 4,000 cities, 46 KB gzip. */
const CITY_POPULATION_MIN = 50_000

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

/** `virtual:cities`: the larger cities of the package city-timezones, the largest first, to a hundredth of a degree. */
function cities(): Plugin {
  const id = '\0virtual:cities'
  return {
    name: 'geotrace-cities',
    resolveId: (source) => (source === 'virtual:cities' ? id : null),
    load(source) {
      if (source !== id) return null
      const round = (degrees: number) => Number(degrees.toFixed(2))
      const rows = cityMapping
        .filter(({ pop }) => pop >= CITY_POPULATION_MIN)
        .sort((a, b) => b.pop - a.pop)
        .map(({ city, lat, lng }) => [city, round(lat), round(lng)])
      return `export default ${JSON.stringify(rows)}`
    },
  }
}

export default defineConfig({
  root,
  // Read the sources, as the tests do, so that the packages need not be built first.
  resolve: { conditions: ['source', 'browser', 'module', 'import', 'default'] },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // The app needs Web Locks, WebAssembly, class fields and top-level await: Chromium 100, Firefox 100, Safari 15.4.
    target: ['chrome100', 'firefox100', 'safari15.4'],
    // Inlined files would be data: URLs, which the content security policy refuses for scripts and styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 800,
  },
  plugins: [cities(), serviceWorker()],
})
