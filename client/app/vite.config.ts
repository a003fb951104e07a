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
import { WEB_PAGE } from '../../scripts/web-page.ts'

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
export function cities(): Plugin {
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
  ...WEB_PAGE,
  root,
  build: { ...WEB_PAGE.build, chunkSizeWarningLimit: 800 },
  plugins: [cities(), serviceWorker()],
})
