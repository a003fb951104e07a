/**
 * Clusters of a spread: m people in n ≪ m clusters, for a legend and for wide zooms. PROTOCOL.md §9.6. Weighted k-means with
 * a start that no draw decides, so that all viewers of one spread see the same clusters. Pure: it reads published counts.
 */

/** A shown cell: its centre in degrees, and its count. */
export interface WeightedPlace {
  readonly lat: number
  readonly lng: number
  /** Above 0. */
  readonly weight: number
}
export interface Cluster extends WeightedPlace {
  /** Indices of the places that are nearest to this cluster, ascending. */
  readonly places: readonly number[]
}

const CLUSTERS_MAX = 100
const PEOPLE_PER_CLUSTER = 100
const ROUNDS = 20

/** At most one cluster for each 100 people, and at most 100 clusters. Places lie within some hundred kilometres. */
export function toClusters(places: readonly WeightedPlace[]): Cluster[] {
  if (places.length === 0) return []
  const people = places.reduce((sum, { weight }) => sum + weight, 0)
  const count = Math.min(CLUSTERS_MAX, Math.max(1, Math.floor(people / PEOPLE_PER_CLUSTER)), places.length)
  let centres = firstCentres(places, count)
  for (let round = 0; round < ROUNDS; round++)
    centres = assign(places, centres).map((own, i) => centre(places, own) ?? centres[i]!)
  return assign(places, centres).flatMap((own, i) => {
    const weight = own.reduce((sum, at) => sum + places[at]!.weight, 0)
    return own.length === 0 ? [] : [{ lat: centres[i]!.lat, lng: centres[i]!.lng, weight, places: own }]
  })
}

type Centre = Pick<WeightedPlace, 'lat' | 'lng'>

/** The heaviest place, then always the one that is farthest from all centres, by weight. */
function firstCentres(places: readonly WeightedPlace[], count: number): Centre[] {
  const centres: Centre[] = [places.reduce((best, place) => (place.weight > best.weight ? place : best))]
  const nearest = places.map((place) => distance(place, centres[0]!))
  while (centres.length < count) {
    let best = 0
    for (const [i, { weight }] of places.entries())
      if (weight * nearest[i]! > places[best]!.weight * nearest[best]!) best = i
    const next = places[best]!
    centres.push(next)
    for (const [i, place] of places.entries()) nearest[i] = Math.min(nearest[i]!, distance(place, next))
  }
  return centres
}

/** The places of each centre; on a tie the first centre has them. */
function assign(places: readonly WeightedPlace[], centres: readonly Centre[]): number[][] {
  const own = centres.map((): number[] => [])
  for (const [at, place] of places.entries()) {
    let best = 0
    let least = Number.POSITIVE_INFINITY
    for (const [i, item] of centres.entries()) {
      const far = distance(place, item)
      if (far < least) [best, least] = [i, far]
    }
    own[best]!.push(at)
  }
  return own
}

function centre(places: readonly WeightedPlace[], own: readonly number[]): Centre | undefined {
  if (own.length === 0) return undefined
  let [lat, lng, sum] = [0, 0, 0]
  const origin = places[own[0]!]!
  for (const at of own) {
    const place = places[at]!
    lat += place.weight * (place.lat - origin.lat)
    lng += place.weight * turn(place.lng - origin.lng)
    sum += place.weight
  }
  return { lat: origin.lat + lat / sum, lng: turn(origin.lng + lng / sum) }
}

/** The squared distance on a plane, in degrees of latitude. */
function distance(a: Centre, b: Centre): number {
  const width = turn(a.lng - b.lng) * Math.cos((((a.lat + b.lat) / 2) * Math.PI) / 180)
  return (a.lat - b.lat) ** 2 + width ** 2
}

/** Degrees of longitude from −180 to 180. */
function turn(degrees: number): number {
  return degrees - 360 * Math.round(degrees / 360)
}
