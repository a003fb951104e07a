/**
 * Builds the web app (`npm run build`). The service worker gets the list of files to keep, so that the app opens
 * without a network after its first visit.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import cityTimezones from 'city-timezones'
import { quantize, transform } from 'topojson-client'
import type { Objects, Topology } from 'topojson-specification'
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

/** A step of the coarse land, in parts of the width of the world: 0.1°, less than a pixel at the zooms that show it. */
const LAND_STEPS = 3600

/**
 * `virtual:cities`: the larger cities of the package city-timezones, the largest first, to a hundredth of a degree.
 * `virtual:coarse-land`: the land of world-atlas for far zooms, with fewer digits. That saves 9 KB of the first load.
 */
export function mapData(): Plugin {
  const sources: Readonly<Record<string, () => string>> = {
    'virtual:cities': () => JSON.stringify(toCityRows()),
    'virtual:coarse-land': () => `JSON.parse('${JSON.stringify(toCoarseLand())}')`,
  }
  return {
    name: 'geotrace-map-data',
    resolveId: (source) => (source in sources ? `\0${source}` : null),
    load(id) {
      const toSource = id.startsWith('\0') ? sources[id.slice(1)] : undefined
      return toSource === undefined ? null : `export default ${toSource()}`
    },
  }
}

function toCityRows() {
  const round = (degrees: number) => Number(degrees.toFixed(2))
  return cityMapping
    .filter(({ pop }) => pop >= CITY_POPULATION_MIN)
    .sort((a, b) => b.pop - a.pop)
    .map(({ city, lat, lng }) => [city, round(lat), round(lng)])
}

function toCoarseLand(): Topology {
  const atlas = createRequire(import.meta.url)('world-atlas/land-110m.json') as Topology<Objects<object>>
  const point = transform(atlas.transform!)
  const arcs = atlas.arcs.map((arc) => arc.map((step, i) => point(step, i > 0)))
  return quantize({ type: atlas.type, bbox: atlas.bbox!, objects: atlas.objects, arcs }, LAND_STEPS)
}

export default defineConfig({
  ...WEB_PAGE,
  root,
  build: { ...WEB_PAGE.build, chunkSizeWarningLimit: 800 },
  plugins: [mapData(), serviceWorker()],
})
