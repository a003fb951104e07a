import type { Mark } from '@geotrace/core-wasm/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { markBatch } from '../../../src/central/risk/mark-batch.ts'
import { mergeMarks } from '../../../src/central/risk/mark-list.ts'
import { markWriter } from '../../../src/central/risk/mark-writer.ts'
import { memoryStore } from '../../../src/central/store/memory-store.ts'
import { id, mark } from '../store/sample.ts'

const REPORTS = 3
const anyMark = fc
  .record({ n: fc.nat(5), degree: fc.integer({ min: 1, max: 2 }), weight: fc.integer({ min: 1, max: 3 }) })
  .map(({ n, degree, weight }) => mark(1_800 + (n % 2), n, degree, weight))
const anyChange = fc.record({
  report: fc.integer({ min: 1, max: REPORTS }),
  kind: fc.constantFrom('add' as const, 'replace' as const, 'remove' as const),
  marks: fc.uniqueArray(anyMark, { maxLength: 6, selector: ({ hash }) => `${hash}` }),
})
const step = (task: () => Promise<void>) => task()
const sorted = (marks: readonly Mark[]) =>
  marks.map(({ epoch, hash, degree, weight, lag }) => `${epoch} ${hash} ${degree} ${weight} ${lag}`).sort()

function toBatch(user: number, marks: readonly Mark[]) {
  const batch = markBatch(-1, 1_000_000)
  for (const item of marks) batch.add(user, item)
  return batch
}

describe('the writer of marks', () => {
  it('the list has the gravest mark of each hash over all reports, after any changes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyChange, { maxLength: 12 }), async (changes) => {
        const store = memoryStore()
        const user = await store.addUser(id('a'), 1, 100)
        const writer = markWriter(store)
        for (const { report, kind, marks } of changes) {
          if (kind === 'remove') await writer.remove(report, step)
          else await writer[kind](report, toBatch(user, marks), step)
          const all = mergeMarks((await store.userMarks(user)).map((item) => item.marks))
          expect(sorted((await store.marks(user))!.entries)).toEqual(sorted(all))
        }
      }),
    )
  })

  it('a user whom many reports mark costs each of them its own marks, and not those of all', async () => {
    const store = memoryStore()
    const user = await store.addUser(id('a'), 1, 100)
    let read = 0
    const counted = {
      ...store,
      userMarks: async (of: number, report?: number) => {
        const items = await store.userMarks(of, report)
        read += items.reduce((sum, { marks }) => sum + marks.length, 0)
        return items
      },
    }
    const writer = markWriter(counted)
    const marks = Array.from({ length: 10 }, (_, n) => mark(1_800, n))
    for (let report = 1; report <= 50; report++) await writer.replace(report, toBatch(user, marks), step)
    expect(read).toBe(0)
    for (let report = 1; report <= 50; report++) await writer.add(report, toBatch(user, marks), step)
    expect(read).toBe(50 * marks.length)
  })
})
