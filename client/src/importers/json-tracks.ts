/**
 * Reads tracks in JSON: GeoJSON and Google's histories. Their contents decide which it is, because their file names vary.
 * Throws IMPORT_INVALID, also when no value of a file has both a place and a time.
 */
import type { Fix } from '@geotrace/core-wasm'
import { featureToFixes } from './geojson.ts'
import { importInvalid } from './import-error.ts'
import { type JsonStream, jsonStream } from './json-stream.ts'
import type { JsonValue } from './json-value.ts'
import { recordToFixes, segmentToFixes, signalToFixes } from './takeout.ts'

/** The lists whose entries are read one by one. */
const LISTS: readonly [path: string, read: (item: JsonValue) => Fix[]][] = [
  ['$.features', featureToFixes],
  ['$.locations', recordToFixes],
  ['$.rawSignals', signalToFixes],
  ['$.semanticSegments', segmentToFixes],
]
/** The members of a file that consists of one Feature. */
const FEATURE = ['type', 'geometry', 'properties'] as const

interface TrackReader {
  write(bytes: Uint8Array): void
  /** Throws IMPORT_INVALID. */
  end(): void
}

export function jsonTrackReader(onFix: (fix: Fix) => void): TrackReader {
  const feature: Record<string, unknown> = {}
  let [entries, fixes] = [0, 0]
  const take = (found: readonly Fix[]) => {
    fixes += found.length
    for (const fix of found) onFix(fix)
  }
  const paths = {
    object: [...LISTS.map(([path]) => `${path}.*`), ...FEATURE.map((name) => `$.${name}`)],
    list: ['$.*'],
  }
  const stream: JsonStream = jsonStream(paths, (item) => {
    const read = LISTS.find(([path]) => item.path.startsWith(`${path}[`))?.[1]
    if (read === undefined && !item.path.startsWith('$[')) {
      feature[item.path.slice(2)] = item.value
      return
    }
    entries++
    take((read ?? segmentToFixes)(item))
  })
  return {
    write: (bytes) => stream.write(bytes),
    end() {
      stream.end()
      if (feature.type === 'Feature') take(featureToFixes({ value: feature, path: '$', line: 0 }))
      if (fixes > 0) return
      if (entries === 0 && feature.type === undefined) {
        throw importInvalid(0, 'the file is neither GeoJSON nor a location history of Google')
      }
      throw importInvalid(0, 'nothing in the file has both a place and a time')
    },
  }
}

/** Reads a whole text at once. Throws IMPORT_INVALID. */
export function jsonToFixes(text: string): Fix[] {
  const fixes: Fix[] = []
  const reader = jsonTrackReader((fix) => fixes.push(fix))
  reader.write(new TextEncoder().encode(text))
  reader.end()
  return fixes
}
