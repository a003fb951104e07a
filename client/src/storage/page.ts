/**
 * Many small entries of a sealed storage in one disk entry. A browser takes as long to read and open an entry of 80 bytes as one
 * of 20 KB. A key that is written again leaves its page (encrypted-storage.ts).
 *
 *  page = { u16 keyBytes; u16 valueBytes; u8 key[]; u8 value[] }, up to 256 times
 */
import { byteWriter, utf8 } from '@geotrace/core-wasm/wire'

/** Keys and values, in the order of the keys. */
export type Page = ReadonlyMap<string, Uint8Array>

const PAGE_ENTRIES_MAX = 256
/** Fewer loose entries of a family stay as they are: a page for each opening would be rewritten in vain. */
const LOOSE_MIN = 128
/** Larger values cost more to rewrite than they save. */
const VALUE_BYTES_MAX = 1024
const HEAD_BYTES = 4

/** A page stands under no key of its own. */
export function isPacked(key: string): boolean {
  return key === ''
}

/** The pages of the families that have enough loose entries. `loose` in the order of keys; undefined: the value is not known. */
export function toPages(loose: readonly (readonly [key: string, value: Uint8Array | undefined])[]): Page[] {
  const families = new Map<string, [string, Uint8Array][]>()
  for (const [key, value] of loose) {
    if (value === undefined || value.length > VALUE_BYTES_MAX || !key.includes('/')) continue
    const family = key.slice(0, key.indexOf('/'))
    const members = families.get(family)
    if (members === undefined) families.set(family, [[key, value]])
    else members.push([key, value])
  }
  const pages: Page[] = []
  for (const members of families.values()) {
    for (let i = 0; members.length - i >= LOOSE_MIN; i += PAGE_ENTRIES_MAX) {
      pages.push(new Map(members.slice(i, i + PAGE_ENTRIES_MAX)))
    }
  }
  return pages
}

export function encodePage(page: Page): Uint8Array {
  const items = [...page].map(([key, value]) => ({ head: utf8(key), value }))
  const size = items.reduce((sum, { head, value }) => sum + HEAD_BYTES + head.length + value.length, 0)
  const writer = byteWriter(size)
  for (const { head, value } of items) writer.u16(head.length).u16(value.length).bytes(head).bytes(value)
  return writer.finish()
}

/** The bytes are not checked, because only this package seals pages. */
export function decodePage(bytes: Uint8Array): Page {
  const page = new Map<string, Uint8Array>()
  const decoder = new TextDecoder()
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < bytes.length; ) {
    const keyEnd = at + HEAD_BYTES + view.getUint16(at)
    const valueEnd = keyEnd + view.getUint16(at + 2)
    page.set(decoder.decode(bytes.subarray(at + HEAD_BYTES, keyEnd)), bytes.subarray(keyEnd, valueEnd))
    at = valueEnd
  }
  return page
}
