/**
 * Streets from a map file of the person (PMTiles with vector tiles), painted on the map's canvas. The file lies on this device
 * whole, so nobody learns which part of it somebody views.
 */
import { PMTiles } from 'pmtiles'
import { decodeTile, type Tile } from './decode.ts'
import { paintNames, paintTiles } from './draw.ts'
import { BoundedSource, forgetFile, keepFile, readKeptFile, unpack } from './map-file.ts'
import { type TilePlace, tilesOnScreen, type View } from './tile-grid.ts'

/** Six screens of tiles, some 40 MB. */
const TILES_KEPT_MAX = 96
const ATTRIBUTION_MAX = 200
const VECTOR_TILES = 1

/** `unreadable`: no PMTiles archive. `pictures`: its tiles are pictures. `full`: the device has no room. */
export type MapFileProblem = 'unreadable' | 'pictures' | 'full'

export class MapFileError extends Error {
  override readonly name = 'MapFileError'
  readonly problem: MapFileProblem
  constructor(problem: MapFileProblem, cause: unknown) {
    super(`the map file is ${problem}`, { cause })
    this.problem = problem
  }
}

export interface Streets {
  readonly attribution: string
  readonly bytes: number
  /** The file stays when the page closes. */
  readonly isKept: boolean
  /** A tile could not be read. */
  readonly isDamaged: boolean
  paint(context: CanvasRenderingContext2D, view: View): void
  /** False when the file has no names here. */
  paintNames(context: CanvasRenderingContext2D, view: View): boolean
  /** Calls `listener` whenever another tile can be painted, until the returned function is called. */
  onTile(listener: () => void): () => void
}

/** For as long as the page is open. */
let current: Promise<Streets | undefined> | undefined

/** The streets of the kept file; undefined when there is none. Throws MapFileError. */
export function openStreets(): Promise<Streets | undefined> {
  current ??= readKeptFile().then((file) => file && openFile(file, true))
  return current
}

/** Checks the file before it replaces the one before. Throws MapFileError. */
export async function addStreets(file: Blob): Promise<Streets> {
  await openFile(file, false)
  let isKept: boolean
  try {
    isKept = await keepFile(file)
  } catch (error) {
    throw new MapFileError('full', error)
  }
  const kept = isKept ? await readKeptFile() : undefined
  const streets = await openFile(kept ?? file, kept !== undefined)
  current = Promise.resolve(streets)
  return streets
}

export async function removeStreets(): Promise<void> {
  current = Promise.resolve(undefined)
  await forgetFile()
}

async function openFile(file: Blob, isKept: boolean): Promise<Streets> {
  const archive = new PMTiles(new BoundedSource(file), undefined, unpack)
  let header: Awaited<ReturnType<PMTiles['getHeader']>>
  let metadata: unknown
  try {
    header = await archive.getHeader()
    metadata = await archive.getMetadata()
  } catch (error) {
    throw new MapFileError('unreadable', error)
  }
  if (header.tileType !== VECTOR_TILES) throw new MapFileError('pictures', undefined)
  return new OpenStreets(archive, header, toAttribution(metadata), file.size, isKept)
}

/** An attribution may be HTML. Only its text is shown. */
function toAttribution(metadata: unknown): string {
  const { attribution } = (metadata ?? {}) as { attribution?: unknown }
  if (typeof attribution !== 'string') return ''
  const { body } = new DOMParser().parseFromString(attribution, 'text/html')
  return (body.textContent ?? '').trim().slice(0, ATTRIBUTION_MAX)
}

class OpenStreets implements Streets {
  readonly attribution: string
  readonly bytes: number
  readonly isKept: boolean
  readonly #archive: PMTiles
  readonly #zooms: { minZoom: number; maxZoom: number }
  /** By name; the oldest first. Undefined while a tile loads, and where the archive has none. */
  readonly #tiles = new Map<string, Tile | undefined>()
  readonly #listeners = new Set<() => void>()
  #isDamaged = false

  constructor(
    archive: PMTiles,
    zooms: { minZoom: number; maxZoom: number },
    attribution: string,
    bytes: number,
    isKept: boolean,
  ) {
    this.#archive = archive
    this.#zooms = zooms
    this.attribution = attribution
    this.bytes = bytes
    this.isKept = isKept
  }

  get isDamaged(): boolean {
    return this.#isDamaged
  }

  onTile(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  paint(context: CanvasRenderingContext2D, view: View): void {
    paintTiles(context, view, this.#ready(view))
  }

  paintNames(context: CanvasRenderingContext2D, view: View): boolean {
    return paintNames(context, view, this.#ready(view))
  }

  /** The loaded tiles on the screen. The others begin to load. */
  #ready(view: View): (TilePlace & { tile: Tile })[] {
    const places = tilesOnScreen(view, this.#zooms.minZoom, this.#zooms.maxZoom)
    return places.flatMap((place) => {
      const name = `${place.z}/${place.x}/${place.y}`
      if (!this.#tiles.has(name)) void this.#load(name, place)
      const tile = this.#tiles.get(name)
      if (tile === undefined) return []
      // The tiles on the screen stay.
      this.#tiles.delete(name)
      this.#tiles.set(name, tile)
      return [{ ...place, tile }]
    })
  }

  async #load(name: string, { z, x, y }: TilePlace): Promise<void> {
    this.#tiles.set(name, undefined)
    for (const oldest of this.#tiles.keys()) {
      if (this.#tiles.size <= TILES_KEPT_MAX) break
      this.#tiles.delete(oldest)
    }
    try {
      const bytes = await this.#archive.getZxy(z, x, y)
      if (bytes === undefined || !this.#tiles.has(name)) return
      this.#tiles.set(name, decodeTile(new Uint8Array(bytes.data)))
    } catch {
      // The rest of the map is still of use.
      this.#isDamaged = true
    }
    for (const listener of this.#listeners) listener()
  }
}
