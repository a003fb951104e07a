/** A map whose keys can be read by prefix, ascending. The order is computed when it is asked for. */
export interface SortedKeys {
  get(key: string): string | undefined
  /** Undefined deletes the key. */
  set(key: string, value: string | undefined): void
  /** Keys that start with `prefix`. Keys are ASCII. */
  range(prefix: string): string[]
}

export function sortedKeys(entries: Map<string, string>): SortedKeys {
  let sorted: string[] | undefined
  return {
    get: (key) => entries.get(key),
    set(key, value) {
      if (value === undefined || !entries.has(key)) sorted = undefined
      if (value === undefined) entries.delete(key)
      else entries.set(key, value)
    },
    range(prefix) {
      sorted ??= [...entries.keys()].sort((a, b) => (a < b ? -1 : 1))
      return sorted.slice(lowerBound(sorted, prefix), lowerBound(sorted, `${prefix}\x7f`))
    },
  }
}

/** The first index whose key is not before `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let [low, high] = [0, keys.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (keys[middle]! < key) low = middle + 1
    else high = middle
  }
  return low
}
