/** Refuses requests whose group elements are none. PROTOCOL.md §5.11, §7.4. Throws MESSAGE_MALFORMED with the offset. */
import type { Group } from '@geotrace/core-wasm/voprf'
import { byteReader, ELEMENT_BYTES } from '@geotrace/core-wasm/wire'

/** The frame ends with the elements. Each of them is canonical and not the identity. */
export function assertElements(
  group: Pick<Group, 'isElement'>,
  elements: readonly Uint8Array[],
  frame: Uint8Array,
): void {
  const bad = elements.findIndex((element) => !group.isElement(element))
  if (bad < 0) return
  const reader = byteReader(frame)
  reader.bytes(frame.length - (elements.length - bad) * ELEMENT_BYTES)
  reader.refuse('expected the canonical encoding of an element other than the identity')
}
