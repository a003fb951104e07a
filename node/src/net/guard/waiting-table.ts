/**
 * Counts what waits for admission, by address prefix, and decides which item leaves when too many wait. PROTOCOL.md §6.5.
 * Admission counts silent sockets with it, the HTTPS listener unfinished TLS handshakes. Only its own counters change.
 * A new item is never refused, because an attacker that holds all places of an address would lock out its neighbours.
 */
export class WaitingTable<T> {
  readonly #max: number
  readonly #perPrefix: number
  readonly #isSilent: (item: T) => boolean
  /** Each item with its prefix, the oldest first. */
  readonly #prefixes = new Map<T, string>()
  /** The items of each prefix, the oldest first. */
  readonly #items = new Map<string, Set<T>>()

  /** `isSilent`: whether the item has sent nothing yet. Without this function all items are alike. */
  constructor(max: number, perPrefix: number, isSilent: (item: T) => boolean = () => true) {
    this.#max = max
    this.#perPrefix = perPrefix
    this.#isSilent = isSilent
  }

  get size(): number {
    return this.#prefixes.size
  }

  /**
   * Adds an item and returns the item that left for it. A full prefix loses its oldest silent item, or else its oldest
   * item. A full table loses its oldest item, which had the longest time to speak.
   */
  add(item: T, prefix: string): T | undefined {
    const evicted = this.#leaver(prefix)
    if (evicted !== undefined) this.delete(evicted)
    const same = this.#items.get(prefix) ?? new Set()
    this.#items.set(prefix, same.add(item))
    this.#prefixes.set(item, prefix)
    return evicted
  }

  /** Returns whether the item was in the table. */
  delete(item: T): boolean {
    const prefix = this.#prefixes.get(item)
    if (prefix === undefined) return false
    this.#prefixes.delete(item)
    const same = this.#items.get(prefix)!
    same.delete(item)
    if (same.size === 0) this.#items.delete(prefix)
    return true
  }

  items(): T[] {
    return [...this.#prefixes.keys()]
  }

  /** The items of one prefix, the oldest first. */
  itemsOf(prefix: string): T[] {
    return [...(this.#items.get(prefix) ?? [])]
  }

  #leaver(prefix: string): T | undefined {
    const same = this.itemsOf(prefix)
    if (same.length >= this.#perPrefix) return same.find(this.#isSilent) ?? same[0]
    if (this.size < this.#max) return undefined
    const [oldest] = this.#prefixes.keys()
    return oldest
  }
}
