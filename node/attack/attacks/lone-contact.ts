/**
 * A16: a lone contact guesses. Pairs of people meet far from everybody else, and each contact met nobody but its partner.
 * Half of the partners report. Each contact guesses from its marks whether its partner is infected.
 */
import type { Fix } from '@geotrace/core-wasm'
import { loopbackAddresses } from '../../src/local/loopback.ts'
import type { Attack, Figure } from '../lab/attack.ts'
import { patiently } from '../lab/intruder.ts'
import type { Lab } from '../lab/lab.ts'
import { equipDevice, type Inhabitant, syncAll } from '../lab/residents.ts'
import { FIX_MS, FIXES_PER_HOUR, METRE } from '../lab/scene.ts'

/** Residents have block 2 of the loopback, attackers block 3. */
const BLOCK = 4
const PAIRS = 4
/** From the town to the first pair, and from pair to pair. All are in the region of the town. */
const APART_M = 200

interface Pair {
  readonly partner: Inhabitant
  readonly contact: Inhabitant
  readonly isInfected: boolean
}

export const loneContact: Attack = {
  name: 'A16',
  title: 'Somebody who met one person only learns from a warning who reported',
  attacker: 'the phone of a contact who met nobody else, and its owner’s memory',
  meaning: 'The share of lone contacts who know whether the one person whom they met is infected.',
  limit:
    'This is the purpose of a warning, and no design removes it: a warning without place and time would help nobody. There is no gate. With k people in the same place and time the guess is right in one of k.',
  isQuick: true,
  run: meet,
}

async function meet(lab: Lab): Promise<Figure> {
  const pairs = await equipPairs(lab)
  const devices = pairs.flatMap(({ partner, contact }) => [partner, contact])
  try {
    for (const { tracer, fixes } of devices) for (const fix of fixes) await tracer.record(fix)
    await syncAll(devices)
    const infected = pairs.filter(({ isInfected }) => isInfected)
    const { codes } = await lab.federation.central.issueCodes({ count: infected.length, days: 1 })
    for (const [i, { partner }] of infected.entries()) await patiently(() => partner.tracer.report(codes[i]!))
    await lab.federation.central.settled()
    await syncAll(pairs.map(({ contact }) => contact))
    const warned = await Promise.all(pairs.map(async ({ contact }) => (await contact.tracer.marks()).length > 0))
    const right = pairs.filter(({ isInfected }, i) => warned[i] === isInfected).length
    // Later attacks find the marks of the town as they were.
    for (const { partner } of infected) await patiently(() => partner.tracer.withdraw('withdrawn'))
    await lab.federation.central.settled()
    const more = { pairs: pairs.length, 'contacts warned': warned.filter(Boolean).length }
    return { value: (100 * right) / pairs.length, unit: '% of lone contacts guess right', more }
  } finally {
    await Promise.all(devices.map(({ tracer }) => tracer.close()))
  }
}

async function equipPairs({ world, federation, core, clock }: Lab): Promise<Pair[]> {
  const addresses = await loopbackAddresses(BLOCK, 2 * PAIRS)
  const init = { manifest: federation.manifest, core, clock }
  const north = Math.max(...world.area.map(({ lat }) => lat))
  const lng = world.area[0]!.lng
  return Promise.all(
    Array.from({ length: PAIRS }, async (_, i) => {
      const at = { lat: north + (i + 1) * APART_M * METRE, lng }
      const fixes = Array.from({ length: FIXES_PER_HOUR }, (_, n): Fix => {
        return { ...at, accuracyM: 5, at: world.from + n * FIX_MS + 1_000 }
      })
      const person = { fixes, isMoving: false }
      const [partner, contact] = await Promise.all([
        equipDevice({ ...person, id: `partner ${i}` }, addresses[2 * i]!, init),
        equipDevice({ ...person, id: `contact ${i}` }, addresses[2 * i + 1]!, init),
      ])
      return { partner, contact, isInfected: i % 2 === 0 }
    }),
  )
}
