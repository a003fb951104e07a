/**
 * An honest report beside pseudonyms that deposit equal rows (issue: the report killed a central peer for good). By default
 * 2,000 pseudonyms with 480 rows in each of 38 epochs. FAULTS_PSEUDONYMS sets a smaller number.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { bundleProgram, startProgram } from '../../../scripts/test-program.js'

const PSEUDONYMS = Number(process.env.FAULTS_PSEUDONYMS ?? 2_000)
const EPOCHS = 38
const ROWS = 480
const MEMORY_MAX_MIB = 512

it(`a report beside ${PSEUDONYMS} pseudonyms with ${EPOCHS} times ${ROWS} equal rows needs at most ${MEMORY_MAX_MIB} MiB, and syncs go on`, async () => {
  const root = await mkdtemp(join(tmpdir(), 'geotrace-flood-'))
  try {
    const program = await bundleProgram('node/test/faults/flood-child.ts')
    const child = startProgram(program, [join(root, 'store'), String(PSEUDONYMS), String(EPOCHS)])
    const outcome = JSON.parse(await text(child.stdout)) as Record<string, number>
    process.stdout.write(`${JSON.stringify(outcome)}\n`)
    expect(outcome.rows).toBeGreaterThan(PSEUDONYMS * EPOCHS * ROWS)
    expect(outcome.marked).toBe(PSEUDONYMS)
    expect(outcome.answered).toBeGreaterThan(2)
    expect(outcome.peakMiB).toBeLessThanOrEqual(MEMORY_MAX_MIB)
  } finally {
    await rm(root, { recursive: true })
  }
})
