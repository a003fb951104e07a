/** Streets from a map file in the web app: added, painted, kept over a reload, refused when wrong, removed. */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startWebServer, type WebServer } from '@geotrace/node/testing'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { encodeStreetFile, type Layers } from '../app/street-file.ts'
import { CAFE, go, noonOffsetMin, openContext, start } from './app-page.ts'
import { accessibilityFaults } from './page-checks.ts'
import type { Stage } from './stage.ts'

const folder = resolve(fileURLToPath(import.meta.url), '../../../app/dist')
const ZOOM = 14
/** The café in units of its tile. */
const [TILE_X, TILE_Y] = [((CAFE.longitude + 180) / 360) * 2 ** ZOOM, toMercatorY(CAFE.latitude) * 2 ** ZOOM]
const [X, Y] = [TILE_X, TILE_Y].map((at) => Math.round((at - Math.floor(at)) * 4096)) as [number, number]

/** A road from north to south past the café, and a lake in the west. */
const LAYERS: Layers = {
  roads: [
    {
      type: 'line',
      properties: { kind: 'major_road', name: 'Linden Street' },
      points: [
        [X, 0],
        [X, 4096],
      ],
    },
  ],
  water: [
    {
      type: 'area',
      properties: { kind: 'lake' },
      points: [
        [X - 900, Y - 300],
        [X - 60, Y - 300],
        [X - 60, Y + 300],
        [X - 900, Y + 300],
      ],
    },
  ],
}
const FILE = Buffer.from(
  encodeStreetFile({
    tiles: { [`${ZOOM}/${Math.floor(TILE_X)}/${Math.floor(TILE_Y)}`]: LAYERS },
    attribution: '<a href="https://example.org">© Surveyors</a>',
  }),
)

export function streetsSuite(stage: () => Stage): void {
  let server: WebServer

  beforeAll(async () => {
    const town = { type: 'FeatureCollection', offsetMin: noonOffsetMin(Date.now()), features: [] }
    server = await startWebServer({
      folder,
      documents: { '/federation.json': stage().federation.manifest, '/demo-track.geojson': town },
    })
  })
  afterAll(() => server?.stop())

  it('the map draws streets from a file of the person, also after a reload and from the authority, until it is removed', async () => {
    const app = await openContext(stage().browser, server.url, { serviceWorkers: 'block' })
    const hosts = new Set<string>()
    app.context.on('request', (request) => hosts.add(new URL(request.url()).origin))
    const page = await start(app)
    await go(page, 'map')
    await page.getByRole('link', { name: 'Add streets' }).click()
    const card = page.getByRole('region', { name: 'Streets on the map' })
    const choose = (name: string, buffer: Buffer) =>
      card.locator('input').setInputFiles({ name, mimeType: 'application/octet-stream', buffer })

    await choose('diary.gpx', Buffer.from('<gpx></gpx>'))
    await card.getByText('This is no PMTiles archive').waitFor()
    await choose('photos.pmtiles', Buffer.from(encodeStreetFile({ tiles: { '0/0/0': {} }, tileType: 2 })))
    await card.getByText('The tiles of this file are pictures').waitFor()
    await choose('town.pmtiles', FILE)
    await card.getByText('is on this device').waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    await expectStreets(page)
    await page.reload()
    await expectStreets(page)
    await page.getByText('© Surveyors').waitFor()

    await go(page, 'settings?help=streets')
    await card.getByRole('button', { name: 'Remove the map file' }).click()
    await card.getByText('is on this device').waitFor({ state: 'detached' })
    await go(page, 'map')
    await page.getByRole('link', { name: 'Add streets' }).waitFor()

    await go(page, 'settings')
    await card.getByRole('button', { name: 'Ask for the authority’s map file' }).click()
    await card.getByText('The authority offers no map file').waitFor()
    expect(app.faults.splice(0)).toEqual([expect.stringContaining('404')])
    await page.route('**/basemap.pmtiles', (route) =>
      route.fulfill({ body: FILE, headers: { 'content-length': `${FILE.length}` } }),
    )
    await card.getByRole('button', { name: 'Ask for the authority’s map file' }).click()
    await card.getByRole('button', { name: /^Fetch it: / }).click()
    await card.getByText('is on this device').waitFor()
    await expectStreets(page)
    expect([...hosts]).toEqual([new URL(server.url).origin])
    expect(app.faults).toEqual([])
    await app.context.close()
  })
}

/** The road has its colour in the middle of the map, and the lake has its own to the west. */
async function expectStreets(page: Page): Promise<void> {
  await go(page, `map?at=${CAFE.latitude},${CAFE.longitude}`)
  const canvas = page.getByLabel('Map of your positions')
  await canvas.waitFor()
  const colours = () =>
    canvas.evaluate((element: HTMLCanvasElement) => {
      const ratio = element.width / element.clientWidth
      const at = (x: number, y: number): number[] => {
        const [px, py] = [element.clientWidth / 2 + x, element.clientHeight / 2 + y].map((n) => Math.round(n * ratio))
        return [...element.getContext('2d')!.getImageData(px!, py!, 1, 1).data.slice(0, 3)]
      }
      return { road: at(8, 150), lake: at(-250, 30) }
    })
  await expect.poll(colours).toEqual({ road: [255, 255, 255], lake: [223, 232, 236] })
}

function toMercatorY(lat: number): number {
  return 0.5 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / (2 * Math.PI)
}
