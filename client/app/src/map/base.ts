/**
 * The ground: land of Natural Earth by world-atlas. It is bundled with the app, so that no tile server learns which
 * places somebody views. The coarse land loads with the map, the finer one at closer zooms.
 */
import { geoContains } from 'd3-geo'
import type { MultiPolygon, Polygon } from 'geojson'
import { feature } from 'topojson-client'
import type { GeometryCollection, Topology } from 'topojson-specification'
import fine from 'world-atlas/land-50m.json?url'
import coarse from 'world-atlas/land-110m.json?url'

export type Land = {
  type: 'FeatureCollection'
  features: { type: 'Feature'; geometry: MultiPolygon | Polygon; properties: unknown }[]
}

const FINE_FROM_ZOOM = 4
const loaded = new Map<string, Promise<Land>>()

export function loadLand(zoom: number): Promise<Land> {
  const url = zoom < FINE_FROM_ZOOM ? coarse : fine
  const known = loaded.get(url)
  if (known !== undefined) return known
  const loading = fetch(url)
    .then((response) => response.json() as Promise<Topology<{ land: GeometryCollection }>>)
    .then((topology) => feature(topology, topology.objects.land) as unknown as Land)
  loaded.set(url, loading)
  loading.catch(() => loaded.delete(url))
  return loading
}

export function isLand(land: Land, lng: number, lat: number): boolean {
  return geoContains(land as Parameters<typeof geoContains>[0], [lng, lat])
}
