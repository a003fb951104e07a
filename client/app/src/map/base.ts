/**
 * The ground: land and borders of Natural Earth by world-atlas. They are bundled with the app, so that no tile server learns
 * which places somebody views. The coarse land loads with the map, finer land and the borders at closer zooms.
 */
import { geoContains } from 'd3-geo'
import type { MultiLineString, MultiPolygon, Polygon } from 'geojson'
import { feature, mesh } from 'topojson-client'
import type { GeometryCollection, Topology } from 'topojson-specification'
import fine from 'world-atlas/countries-50m.json?url'

export interface Land {
  type: 'FeatureCollection'
  features: { type: 'Feature'; geometry: MultiPolygon | Polygon; properties: unknown }[]
  /** Borders between countries; the coarse land has none. */
  borders: MultiLineString | undefined
}

type Atlas = Topology<{ land: GeometryCollection; countries?: GeometryCollection }>

const FINE_FROM_ZOOM = 3
const loaded = new Map<boolean, Promise<Land>>()

export function isFine(zoom: number): boolean {
  return zoom >= FINE_FROM_ZOOM
}

export function loadLand(zoom: number): Promise<Land> {
  const wantsFine = isFine(zoom)
  const known = loaded.get(wantsFine)
  if (known !== undefined) return known
  const atlas = wantsFine ? fetch(fine).then((response) => response.json()) : loadCoarse()
  const loading = atlas.then(toLand)
  loaded.set(wantsFine, loading)
  loading.catch(() => loaded.delete(wantsFine))
  return loading
}

async function loadCoarse(): Promise<Atlas> {
  return (await import('virtual:coarse-land')).default as Atlas
}

function toLand(atlas: Atlas): Land {
  const { land, countries } = atlas.objects
  const borders = countries && (mesh(atlas, countries as never, (a, b) => a !== b) as MultiLineString)
  return { ...(feature(atlas, land) as unknown as Omit<Land, 'borders'>), borders }
}

export function isLand(land: Land, lng: number, lat: number): boolean {
  return geoContains(land as Parameters<typeof geoContains>[0], [lng, lat])
}
