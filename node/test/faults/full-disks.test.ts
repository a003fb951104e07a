/**
 * The store of a central peer on disks that become full at different places of their files. FAULTS_DISKS sets a smaller
 * number of disks.
 */
import { expect, it } from 'vitest'
import { canMount, runOnSmallDisk } from '../../../scripts/small-disk.js'

const DISKS = Number(process.env.FAULTS_DISKS ?? 50)
/** Bytes that are left; a deposit takes some 4 KB. */
const [LEFT, MORE_LEFT] = [2_000, 3_700]

it.skipIf(!canMount())(`a central store loses nothing on ${DISKS} disks that are full for a while`, async () => {
  process.env.FAULTS_SUBJECT = 'central store'
  let [failures, acknowledged] = [0, 0]
  for (let disk = 0; disk < DISKS; disk++) {
    process.env.FAULTS_LEFT = String(LEFT + disk * MORE_LEFT)
    const { 'central store': found } = await runOnSmallDisk('/node/test/central/store/level/full-disk-child.ts', '24m')
    expect(found, `disk ${disk}`).toMatchObject({ acknowledged: 300, lost: 0 })
    expect(found.failures).toBeGreaterThan(0)
    failures += found.failures
    acknowledged += found.acknowledged
  }
  process.stdout.write(`${DISKS} full disks: ${failures} writes failed, 0 of ${acknowledged} acknowledged were lost\n`)
})
