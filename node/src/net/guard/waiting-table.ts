/**
 * Counts what waits for admission, by address prefix, and decides which item leaves when too many wait. PROTOCOL.md §6.5.
 * Admission counts silent sockets with it, the HTTPS listener unfinished TLS handshakes. Only its own counters change.
 */
export class WaitingTable<T> {
  readonly #max: number
  readonly #perPrefix: number
  /** Each item with its prefix, the oldest first. */
  readonly #prefixes = new Map<T, string>()
  readonly #counts = new Map<string, number>()

  constructor(max: number, perPrefix: number) {
    this.#max = max
    this.#perPrefix = perPrefix
  }

  get size(): number {
    return this.#prefixes.size
  }

  /**
   * Adds an item, or returns `refused` when its prefix has its share already. A full table returns the oldest item, which
   * leaves it, because the new item may be a conforming peer and the oldest had its time.
   */
  add(item: T, prefix: string): 'refused' | { readonly evicted: T | undefined } {
    const same = this.#counts.get(prefix) ?? 0
    if (same >= this.#perPrefix) return 'refused'
    let evicted: T | undefined
    if (this.#prefixes.size >= this.#max) {
      ;[evicted] = this.#prefixes.keys()
      this.delete(evicted as T)
    }
    this.#prefixes.set(item, prefix)
    this.#counts.set(prefix, (this.#counts.get(prefix) ?? 0) + 1)
    return { evicted }
  }

  /** Returns whether the item was in the table. */
  delete(item: T): boolean {
    const prefix = this.#prefixes.get(item)
    if (prefix === undefined) return false
    this.#prefixes.delete(item)
    const left = this.#counts.get(prefix)! - 1
    if (left === 0) this.#counts.delete(prefix)
    else this.#counts.set(prefix, left)
    return true
  }

  items(): T[] {
    return [...this.#prefixes.keys()]
  }
}
