import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { systemClock } from '@geotrace/core-wasm'
import { bytesToRows } from '@geotrace/core-wasm/wire'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { bundleProgram, startProgram } from '../../../../../scripts/test-program.js'
import { levelStore } from '../../../../src/central/store/level/level-store.ts'
import { rowsToHashes } from '../../../../src/central/store/row-set.ts'
import { systemRandom } from '../../../../src/platform/random.ts'
import { id, rowsOf, syncId } from '../sample.ts'
import { childDeposit, DEPOSIT_ROWS } from './child-deposit.ts'

const KILLS = inject('storeKills')
const ERASURES = inject('erasureKills')
/** Writes of the erasure: its beginning, both days, its end. The first kill comes before any write. */
const ERASURE_WRITES = 4
/** Deposits that a killed child may have begun without an acknowledgement. */
const BEGUN_MAX = 8

/** Runs a test program and calls `until` after each line, which may kill the child. Resolves with all its lines. */
async function runUntil(
  program: string,
  args: string[],
  until: (lines: string[], child: ChildProcess) => void,
): Promise<string[]> {
  const child = startProgram(program, args)
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    until(lines, child)
  })
  await new Promise((resolve) => child.once('close', resolve))
  return lines
}

describe('a store whose process is killed', () => {
  let dir: string
  beforeEach(async () => {
    dir = join(await mkdtemp(join(tmpdir(), 'geotrace-kill-')), 'store')
  })
  afterEach(() => rm(join(dir, '..'), { recursive: true }))

  it(`a killed store has every acknowledged deposit after each of ${KILLS} kills, and a repeated deposit counts once`, {
    timeout: 300_000,
  }, async () => {
    let next = 0
    let acknowledgedInAll = 0
    let cut = 0
    const program = await bundleProgram('node/test/central/store/level/deposit-child.ts')
    for (let kill = 0; kill < KILLS; kill++) {
      // Vary the number of acknowledgements, so that kills interrupt a commit at different places.
      const enough = 1 + ((kill * 37) % 53)
      const lines = await runUntil(program, [dir, String(next)], (seen, child) => {
        if (seen.length > enough) child.kill('SIGKILL')
      })
      const acknowledged = lines.filter((line) => line.startsWith('a ')).map((line) => Number(line.slice(2)))
      expect(acknowledged.length).toBeGreaterThanOrEqual(enough)
      acknowledgedInAll += acknowledged.length

      const store = await levelStore({ dir, random: systemRandom, clock: systemClock() })
      const user = (await store.findUser(id('killed')))!
      for (const n of acknowledged) {
        expect(await store.findSync(user, syncId(n))).toBeDefined()
        const { groups } = childDeposit(user, n)
        for (const group of groups) {
          const held = new Set(
            (await rowsOf(store, group.epoch, user)).map(({ hash }) => Buffer.from(hash).toString('hex')),
          )
          expect(bytesToRows(group.rows).every(({ hash }) => held.has(Buffer.from(hash).toString('hex')))).toBe(true)
          const probed = []
          for await (const item of store.probe(group.epoch, rowsToHashes(group.rows))) probed.push(...item.rows)
          expect(probed).toHaveLength(group.rows.length)
        }
      }
      const end = Math.max(...acknowledged) + BEGUN_MAX
      for (let n = next; n < end; n++) {
        const outcome = await store.deposit(childDeposit(user, n))
        if (outcome === 'stored') cut++
        if (acknowledged.includes(n)) expect(outcome).toBe('duplicate')
      }
      next = end
      const { days, users } = await store.statistics()
      expect(users).toBe(1)
      expect(days.map(({ rows }) => rows)).toEqual([(next * DEPOSIT_ROWS) / 2, (next * DEPOSIT_ROWS) / 2])
      await store.close()
    }
    expect(acknowledgedInAll).toBeGreaterThan(KILLS)
    expect(cut).toBeGreaterThan(0)
  })

  it(`a killed store has erased a user completely or not at all after each of ${ERASURES} kills`, {
    timeout: 120_000,
  }, async () => {
    const program = await bundleProgram('node/test/central/store/level/erase-child.ts')
    let completed = 0
    for (let kill = 0; kill < ERASURES; kill++) {
      const path = join(dir, String(kill))
      const store = await levelStore({ dir: path, random: systemRandom, clock: systemClock() })
      const user = await store.addUser(id('killed'), 1, 100)
      for (let n = 0; n < 54; n++) await store.deposit(childDeposit(user, n))
      await store.close()
      const writes = kill % (ERASURE_WRITES + 1)
      const lines = await runUntil(program, [path, String(writes)], (seen, child) => {
        if (seen.length === 2) child.kill('SIGKILL')
      })
      // A child that never began, or that finished, would prove nothing.
      expect(lines).toEqual(['r', 'w'])

      const left = await levelStore({ dir: path, random: systemRandom, clock: systemClock() })
      const isKnown = (await left.findUser(id('killed'))) !== undefined
      expect(isKnown).toBe(writes === 0)
      if (!isKnown) completed++
      const { groups } = childDeposit(user, 17)
      expect(await rowsOf(left, groups[0]!.epoch, user)).toHaveLength(isKnown ? (3 * DEPOSIT_ROWS) / 2 : 0)
      expect((await left.findSync(user, syncId(3))) !== undefined).toBe(isKnown)
      const rows = isKnown ? (54 * DEPOSIT_ROWS) / 2 : 0
      expect((await left.statistics()).days.map((item) => item.rows)).toEqual([rows, rows])
      await left.close()
    }
    // Some kills must come after the first write of the erasure, so that the opening has something to complete.
    expect(completed).toBeGreaterThan(0)
  })
})
