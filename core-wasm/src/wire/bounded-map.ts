/** A map with a bound: with `max` keys inside, a new key drops the oldest key. Setting a known key keeps its place. */

export function boundedMap<K, V>(max: number): Map<K, V> {
  const map = new Map<K, V>()
  const set = map.set.bind(map)
  map.set = (key, value) => {
    if (map.size >= max && !map.has(key)) map.delete(map.keys().next().value as K)
    return set(key, value)
  }
  return map
}
