import type { Fix } from '@geotrace/core-wasm'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fixBlockToEpoch, timeToFixBlock } from '../../src/diary/fix-block.ts'
import {
  drop,
  FIX_FAMILIES,
  type FixState,
  forget,
  hash,
  isBetter,
  keep,
  lose,
  readFix,
  readHashed,
  readLinked,
  readWaiting,
  remove,
  saltAgain,
  settle,
  TRANSITIONS,
  type Transition,
  toDiaryState,
  toSettledState,
} from '../../src/diary/fix-states.ts'
import type { HashedFix } from '../../src/diary/hashed-fix.ts'
import { keyToNumber, numberedKey } from '../../src/storage/key-layout.ts'
import { memoryStorage } from '../../src/storage/memory-storage.ts'
import type { Storage, StorageOperation } from '../../src/storage/storage.ts'

const MINUTE = 60_000
const BLOCK_MS = 5 * MINUTE
const START_BLOCK = timeToFixBlock(Date.parse('2026-11-21T12:00:00Z'))
const BLOCKS = 4

const fixOf = (block: number, accuracyM: number): Fix => ({
  lat: 52.52,
  lng: 13.4,
  accuracyM,
  at: block * BLOCK_MS + 1,
})
const recordOf = (block: number): HashedFix => ({
  block,
  rosters: [new Uint8Array(8).fill(1), new Uint8Array(8).fill(2)],
  hashes: new Uint8Array(360).fill(block & 255),
})
const fix = fixOf(START_BLOCK, 5)
const record = recordOf(START_BLOCK)
const [epoch, next] = [fixBlockToEpoch(START_BLOCK), fixBlockToEpoch(START_BLOCK) + 1] as const

async function write(storage: Storage, operations: StorageOperation[] | string | undefined): Promise<void> {
  if (Array.isArray(operations)) await storage.batch(operations)
}

/** A storage with one fix in the given state. */
async function storageIn(state: FixState): Promise<Storage> {
  const storage = memoryStorage()
  await write(storage, await keep(storage, fix))
  if (state === 'lost') await write(storage, await lose(storage, START_BLOCK))
  if (state === 'hashed' || state === 'deposited') await write(storage, await hash(storage, { fix, record }))
  if (state === 'deposited') await write(storage, await settle(storage, START_BLOCK, [], true))
  return storage
}

async function stateOf(storage: Storage): Promise<FixState | 'none'> {
  return (await readFix(storage, START_BLOCK))?.state ?? 'none'
}

describe('the transitions of a fix', () => {
  const attempts: Record<Transition, (storage: Storage) => Promise<StorageOperation[] | string | undefined>> = {
    keep: (storage) => keep(storage, fixOf(START_BLOCK, 1)),
    hash: (storage) => hash(storage, { fix, record }),
    settle: (storage) => settle(storage, START_BLOCK, [], true),
    saltAgain: (storage) => saltAgain(storage, START_BLOCK),
    lose: (storage) => lose(storage, START_BLOCK),
    drop: (storage) => drop(storage, START_BLOCK),
    remove: (storage) => remove(storage, START_BLOCK),
  }

  const ends: Record<Transition, FixState | 'none'> = {
    keep: 'waiting',
    hash: 'hashed',
    settle: 'deposited',
    saltAgain: 'waiting',
    lose: 'lost',
    drop: 'none',
    remove: 'none',
  }

  it('each transition starts only from the states of its table, and otherwise changes nothing', async () => {
    for (const [name, attempt] of Object.entries(attempts)) {
      const from = TRANSITIONS[name as Transition] as readonly string[]
      for (const state of ['waiting', 'hashed', 'deposited', 'lost'] as const) {
        const storage = await storageIn(state)
        const operations = await attempt(storage).catch((error: unknown) => {
          expect(error).toBeInstanceOf(TypeError)
          return undefined
        })
        expect([name, state, Array.isArray(operations)]).toEqual([name, state, from.includes(state)])
        await write(storage, operations)
        expect(await stateOf(storage)).toBe(from.includes(state) ? ends[name as Transition] : state)
      }
    }
  })

  it('a settled fix stays hashed while an epoch is open, and is then deposited or lost', async () => {
    expect(toSettledState([epoch], true)).toBe('hashed')
    expect(toSettledState([], true)).toBe('deposited')
    expect(toSettledState([], false)).toBe('lost')
    const storage = await storageIn('hashed')
    await write(storage, await settle(storage, START_BLOCK, [next], true))
    expect(await readHashed(storage)).toEqual([{ ...record, open: [next] }])
    await write(storage, await settle(storage, START_BLOCK, [], false))
    expect(await readHashed(storage)).toEqual([])
    expect(await stateOf(storage)).toBe('lost')
    expect(await readLinked(storage, START_BLOCK)).toEqual({ fix, record })
  })

  it('a better fix replaces a waiting one, and its hashes are refused when they were made of the other', async () => {
    const storage = await storageIn('waiting')
    expect(isBetter(fixOf(START_BLOCK, 5), fix)).toBe(false)
    expect(isBetter({ lat: 1, lng: 1, at: 1 }, fix)).toBe(false)
    expect(await keep(storage, fix)).toBe('not-better')
    const better = fixOf(START_BLOCK, 4)
    await write(storage, await keep(storage, better))
    expect(await hash(storage, { fix, record })).toBeUndefined()
    expect(await readWaiting(storage)).toEqual([better])
    await write(storage, await hash(storage, { fix: better, record }))
    expect(await keep(storage, fixOf(START_BLOCK, 1))).toBe('block-taken')
  })

  it('the shown state tells open from waiting by the time, and held from hashed by the redactor', () => {
    const end = (START_BLOCK + 1) * BLOCK_MS
    const shown = (state: FixState, nowMs: number, isHeld: boolean) => toDiaryState({ fix, state }, nowMs, () => isHeld)
    expect(shown('waiting', end - 1, true)).toBe('open')
    expect(shown('waiting', end, true)).toBe('waiting')
    expect(shown('hashed', end, true)).toBe('held')
    expect(shown('hashed', end, false)).toBe('hashed')
    for (const state of ['deposited', 'lost'] as const) expect(shown(state, end, true)).toBe(state)
  })
})

describe('any sequence of transitions', () => {
  const step = fc.record({
    transition: fc.constantFrom('keep', 'hash', 'settle', 'saltAgain', 'lose', 'drop', 'remove', 'forget'),
    block: fc.integer({ min: START_BLOCK, max: START_BLOCK + BLOCKS - 1 }),
    accuracyM: fc.integer({ min: 1, max: 9 }),
    open: fc.integer({ min: 0, max: 3 }),
    isDeposited: fc.boolean(),
  })

  async function blocksOf(storage: Storage, family: string): Promise<number[]> {
    const blocks: number[] = []
    for await (const [key] of storage.range(family)) blocks.push(keyToNumber(key))
    return blocks
  }

  it('any sequence of transitions leaves each fix in exactly one state, and no fix vanishes uncounted', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const storage = memoryStorage()
        let [kept, gone] = [0, 0]
        for (const { transition, block, accuracyM, open, isDeposited } of steps) {
          const state = (await readFix(storage, block))?.state
          const known = await readFix(storage, block)
          const epochs = [0, 1].filter((i) => ((open >> i) & 1) === 1).map((i) => fixBlockToEpoch(block) + i)
          const operations = await {
            keep: () => keep(storage, fixOf(block, accuracyM)),
            hash: () => hash(storage, { fix: known?.fix ?? fixOf(block, 1), record: recordOf(block) }),
            settle: () => (state === 'hashed' ? settle(storage, block, epochs, isDeposited) : undefined),
            saltAgain: () => saltAgain(storage, block),
            lose: () => lose(storage, block),
            drop: () => drop(storage, block),
            remove: () => remove(storage, block),
            forget: () => forget(storage, block),
          }
            [transition]()
            ?.catch(() => undefined)
          const before = (await blocksOf(storage, FIX_FAMILIES.fix)).length
          await write(storage, operations)
          const after = (await blocksOf(storage, FIX_FAMILIES.fix)).length
          if (after > before) kept += after - before
          else if (['drop', 'remove', 'forget'].includes(transition)) gone += before - after
        }
        const states = new Map<number, FixState>()
        for (const block of await blocksOf(storage, FIX_FAMILIES.fix)) {
          states.set(block, (await readFix(storage, block))!.state)
        }
        expect(states.size).toBe(kept - gone)
        const those = (...wanted: FixState[]) =>
          [...states].filter(([, state]) => wanted.includes(state)).map(([b]) => b)
        expect(await blocksOf(storage, FIX_FAMILIES.pending)).toEqual(those('waiting', 'hashed'))
        expect((await readWaiting(storage)).map(({ at }) => timeToFixBlock(at))).toEqual(those('waiting'))
        expect((await readHashed(storage)).map(({ block }) => block)).toEqual(those('hashed'))
        const hashed = await blocksOf(storage, FIX_FAMILIES.hashes)
        expect(hashed).toEqual(those('hashed', 'deposited', 'lost').filter((block) => hashed.includes(block)))
        for (const block of those('hashed', 'deposited')) expect(hashed).toContain(block)
      }),
      { numRuns: 200 },
    )
  })

  it('a record with an unknown state is reported as corrupt', async () => {
    const storage = await storageIn('waiting')
    const key = numberedKey(FIX_FAMILIES.fix, START_BLOCK)
    await storage.batch([{ type: 'put', key, value: Uint8Array.of(9, 123, 125) }])
    await expect(readFix(storage, START_BLOCK)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT', data: { what: key } })
  })
})
