/** Shared by the tests of the importers: a short way to read a text, and the refusal that an import may end in. */
import type { Fix } from '@geotrace/core-wasm'
import { expect } from 'vitest'
import { type ImportReceipt, importFile } from '../../src/importers/index.ts'

/** Unix ms of the fixes in most tests. */
export const AT = Date.UTC(2026, 10, 20, 9, 30, 15)
export const TIME = '2026-11-20T09:30:15Z'

export async function fixesOf(name: string, content: string | Uint8Array): Promise<Fix[]> {
  return (await importFile(name, content)).fixes
}

/** The receipt; the test fails when `entries` is not the sum of what was kept and what was left out. */
export async function receiptOf(name: string, content: string | Uint8Array): Promise<ImportReceipt> {
  const { fixes, receipt } = await importFile(name, content)
  const leftOut = Object.values(receipt.leftOut).reduce((sum, count) => sum + count, 0)
  expect([receipt.entries, receipt.kept]).toEqual([fixes.length + leftOut, fixes.length])
  return receipt
}

export const refusal = (line: number, reason: RegExp) => ({
  code: 'IMPORT_INVALID',
  data: expect.objectContaining({ line, reason: expect.stringMatching(reason) }),
})

export async function expectRefusal(name: string, content: string, line: number, reason: RegExp): Promise<void> {
  await expect(importFile(name, content)).rejects.toMatchObject(refusal(line, reason))
}

/** A file as a stream of chunks of the given sizes, repeated. */
export function inChunks(bytes: Uint8Array, sizes: readonly number[]): ReadableStream<Uint8Array> {
  let [from, turn] = [0, 0]
  return new ReadableStream({
    pull(controller) {
      if (from >= bytes.length) return controller.close()
      const to = from + sizes[turn++ % sizes.length]!
      controller.enqueue(bytes.subarray(from, to))
      from = to
    },
  })
}
