/**
 * Writes a small PMTiles archive (version 3) of vector tiles (version 2.1) byte by byte from the published specifications, for
 * the tests of streets. It shares no code with the reader.
 */
import { gzipSync } from 'node:zlib'
import { PbfWriter } from 'pbf'
import { zxyToTileId } from 'pmtiles'

export interface Feature {
  readonly type: 'point' | 'line' | 'area'
  readonly properties: Readonly<Record<string, string | number>>
  /** Points in units of the extent (4,096). The ring of an area closes by itself. */
  readonly points: readonly (readonly [x: number, y: number])[]
}
export type Layers = Readonly<Record<string, readonly Feature[]>>
interface StreetFile {
  /** By `z/x/y`. */
  readonly tiles: Readonly<Record<string, Layers | Uint8Array>>
  readonly attribution?: string
  readonly tileType?: number
}

const TYPES = { point: 1, line: 2, area: 3 }
const [MOVE_TO, LINE_TO, CLOSE] = [1, 2, 7]
const [HEADER_BYTES, GZIP] = [127, 2]

export function encodeStreetFile({ tiles, attribution = '', tileType = 1 }: StreetFile): Uint8Array<ArrayBuffer> {
  const packed = Object.entries(tiles).map(([name, layers]) => {
    const [z = 0, x = 0, y = 0] = name.split('/').map(Number)
    return { id: zxyToTileId(z, x, y), z, data: gzipSync(layers instanceof Uint8Array ? layers : encodeTile(layers)) }
  })
  packed.sort((a, b) => a.id - b.id)
  const directory = new PbfWriter()
  directory.writeVarint(packed.length)
  for (const [i, { id }] of packed.entries()) directory.writeVarint(id - (packed[i - 1]?.id ?? 0))
  for (const _ of packed) directory.writeVarint(1)
  for (const { data } of packed) directory.writeVarint(data.length)
  let offset = 0
  for (const { data } of packed) {
    directory.writeVarint(offset + 1)
    offset += data.length
  }
  const root = gzipSync(directory.finish())
  const metadata = gzipSync(JSON.stringify({ attribution }))
  const header = Buffer.alloc(HEADER_BYTES)
  header.write('PMTiles')
  header[7] = 3
  const parts = [root.length, metadata.length, 0, offset]
  let at = HEADER_BYTES
  for (const [i, length] of parts.entries()) {
    header.writeBigUInt64LE(BigInt(at), 8 + 16 * i)
    header.writeBigUInt64LE(BigInt(length), 16 + 16 * i)
    at += length
  }
  for (const i of [0, 1, 2]) header.writeBigUInt64LE(BigInt(packed.length), 72 + 8 * i)
  const zooms = packed.map(({ z }) => z)
  header.set([1, GZIP, GZIP, tileType, Math.min(...zooms), Math.max(...zooms)], 96)
  for (const [i, degrees] of [-180, -85, 180, 85].entries()) header.writeInt32LE(degrees * 1e7, 102 + 4 * i)
  return new Uint8Array(Buffer.concat([header, root, metadata, ...packed.map(({ data }) => data)]))
}

export function encodeTile(layers: Layers): Uint8Array {
  const tile = new PbfWriter()
  for (const [name, features] of Object.entries(layers)) tile.writeBytesField(3, encodeLayer(name, features))
  return tile.finish()
}

function encodeLayer(name: string, features: readonly Feature[]): Uint8Array {
  const layer = new PbfWriter()
  const keys = [...new Set(features.flatMap(({ properties }) => Object.keys(properties)))]
  const values = [...new Set(features.flatMap(({ properties }) => Object.values(properties)))]
  layer.writeVarintField(15, 2)
  layer.writeStringField(1, name)
  for (const { type, properties, points } of features) {
    const feature = new PbfWriter()
    const tags = Object.entries(properties).flatMap(([key, value]) => [keys.indexOf(key), values.indexOf(value)])
    feature.writePackedVarint(2, tags)
    feature.writeVarintField(3, TYPES[type])
    feature.writePackedVarint(4, toCommands(type, points))
    layer.writeBytesField(2, feature.finish())
  }
  for (const key of keys) layer.writeStringField(3, key)
  for (const value of values) {
    const written = new PbfWriter()
    if (typeof value === 'string') written.writeStringField(1, value)
    else written.writeVarintField(5, value)
    layer.writeBytesField(4, written.finish())
  }
  layer.writeVarintField(5, 4096)
  return layer.finish()
}

function toCommands(type: Feature['type'], points: Feature['points']): number[] {
  const zigzag = (n: number) => (n << 1) ^ (n >> 31)
  const steps = points.map(([x, y], i) => {
    const [beforeX, beforeY] = points[i - 1] ?? [0, 0]
    return [zigzag(x - beforeX), zigzag(y - beforeY)]
  })
  const [first = [], ...rest] = steps
  const commands = [(1 << 3) | MOVE_TO, ...first]
  if (type === 'point') return commands
  commands.push((rest.length << 3) | LINE_TO, ...rest.flat())
  if (type === 'area') commands.push((1 << 3) | CLOSE)
  return commands
}
