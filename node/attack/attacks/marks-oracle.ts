/**
 * A7: the marks as an oracle. An attacker deposits fabricated rows for the cells that it may salt, under as many pseudonyms
 * as it needs. After somebody reports, the marks of these pseudonyms tell where that person was. The same rows put people
 * at risk who met nobody.
 */
import type { Cell } from '@geotrace/core-wasm'
import {
  bytesToHex,
  compareHashes,
  EPOCH_MIN,
  hashToRosterName,
  LAG_CURRENT,
  ROWS_PER_SHAPE_MAX,
  type Row,
} from '@geotrace/core-wasm/wire'
import { systemRandom } from '../../src/platform/random.ts'
import { FRAMES_PER_DEVICE_HOUR } from '../../src/relay/frame-bounds.ts'
import { type Attack, atMost, type Figure } from '../lab/attack.ts'
import { budgetOf, evaluateUntilSpent } from '../lab/evaluations.ts'
import { type Intruder, openIntruder, patiently, replicasOf } from '../lab/intruder.ts'
import type { Lab } from '../lab/lab.ts'
import { worldToCells } from '../lab/map.ts'
import { syncAll } from '../lab/residents.ts'

const ADDRESS = 20
/** A bucket of frames holds an hour of them, and a day refills it. */
const HOURS = 25
/** Syncs in which a pseudonym reads its marks. A reply has room for 49. */
const READS_MAX = 2

export const marksOracle: Attack = {
  name: 'A7',
  title: 'Fabricated rows tell where an infected person was, and warn people who met nobody',
  attacker: 'one device at one address, any number of pseudonyms, and patience until somebody reports',
  meaning: 'The cells that one device can test for an infected person in one epoch and shard.',
  limit:
    'Each tested cell gives a sure answer, under every setting. Under plain salting the frames that relays take from an address bound the pseudonyms; more addresses bring more of them. The attacker learns a place and an epoch and no name. A place with one resident names that resident. A false warning needs no salts of others: one pseudonym that was really at both places is enough.',
  isQuick: true,
  run: probe,
}

async function probe(lab: Lab): Promise<Figure> {
  const { federation, setting, residents } = lab
  const intruder = await openIntruder(lab, ADDRESS)
  try {
    const hashes = await fabricate(lab, intruder)
    const pseudonyms = await deposit(lab, intruder, [...hashes.keys()])
    const [code] = (await federation.central.issueCodes({ count: 1, days: 1 })).codes
    const reporter = residents[0]!
    await patiently(() => reporter.tracer.report(code!))
    // Marks follow after the replies.
    await federation.central.settled()
    const marked = new Set<Cell>()
    for (const secret of pseudonyms) {
      for (const hash of await readMarks(intruder, secret)) marked.add(hashes.get(hash)!)
    }
    await federation.central.settled()
    await syncAll(residents.filter((item) => item !== reporter))
    const warned = await warnedWithoutContact(lab)
    const isPlain = setting.parameters.salting === 'plain'
    const value = isPlain ? pseudonymsADay(lab) * ROWS_PER_SHAPE_MAX : hashes.size
    const visited = new Set(reporter.fixes.map(({ lat, lng }) => lab.core.fixToCells(lat, lng)[0]))
    const right = [...marked].filter((cell) => visited.has(cell)).length
    const more = {
      'cells tested in this run': hashes.size,
      'pseudonyms used': pseudonyms.length,
      'cells found where the reporter was': right,
      'cells where the reporter was': visited.size,
      'people warned who met nobody': warned,
    }
    const figure = { value, unit: 'cells an epoch and shard', more }
    return isPlain ? figure : { ...figure, gate: atMost(value, budgetOf(lab.certified.roster), 'cells') }
  } finally {
    await intruder.close()
  }
}

/** Pseudonyms that one address can bring through all relays in a day: each takes one frame. */
function pseudonymsADay({ certified, federation }: Lab): number {
  const { devicesPerAddress } = federation.manifest.parameters
  return certified.roster.members.length * FRAMES_PER_DEVICE_HOUR * devicesPerAddress * HOURS
}

/** The 80-minute hash of every cell that the attacker can salt, with the cell. */
async function fabricate(lab: Lab, intruder: Intruder): Promise<Map<string, Cell>> {
  const { core, world, epoch, setting } = lab
  const cells = [...worldToCells(core, world)[0]]
  const secrets = new Map<Cell, Uint8Array>()
  if (setting.parameters.salting === 'plain') {
    const [salt] = (await intruder.salts(replicasOf(lab)[0]!, [{ size: EPOCH_MIN, n: epoch }]))!
    for (const cell of cells) secrets.set(cell, salt!)
  } else {
    const { keys } = await evaluateUntilSpent(lab, { cells, epoch, address: ADDRESS })
    for (const [cell, key] of keys) secrets.set(cell, key)
  }
  return new Map(
    [...secrets].map(([cell, secret]) => [bytesToHex(core.riskHash(secret, cell, EPOCH_MIN, epoch)), cell]),
  )
}

/** Returns the secrets of the pseudonyms. */
async function deposit(lab: Lab, intruder: Intruder, hashes: readonly string[]): Promise<Uint8Array[]> {
  const pseudonyms: Uint8Array[] = []
  for (let i = 0; i < hashes.length; i += ROWS_PER_SHAPE_MAX) {
    const secret = systemRandom(32)
    const rows = hashes
      .slice(i, i + ROWS_PER_SHAPE_MAX)
      .map((hash): Row => ({ hash: Uint8Array.from(Buffer.from(hash, 'hex')), size: EPOCH_MIN, lags: LAG_CURRENT }))
      .sort((a, b) => compareHashes(a.hash, b.hash))
    await intruder.sync(secret, [{ epoch: lab.epoch, roster: hashToRosterName(lab.certified.hash), rows }])
    pseudonyms.push(secret)
  }
  return pseudonyms
}

async function readMarks(intruder: Intruder, secret: Uint8Array): Promise<string[]> {
  for (let i = 0; i < READS_MAX; i++) {
    const { marks } = await intruder.sync(secret, [])
    if (marks.length > 0) return marks.map(({ hash }) => bytesToHex(hash))
  }
  return []
}

/** Residents with marks who were in no cell of the reporter, nor in a cell of anybody who was. */
async function warnedWithoutContact({ core, residents }: Lab): Promise<number> {
  const places = residents.map(({ fixes }) => new Set(fixes.flatMap(({ lat, lng }) => core.fixToCells(lat, lng))))
  const met = (from: ReadonlySet<number>): Set<number> =>
    new Set(places.flatMap((cells, i) => ([...from].some((other) => meet(cells, places[other]!)) ? [i] : [])))
  const reachable = met(met(new Set([0])))
  const marked = await Promise.all(residents.map(async ({ tracer }) => (await tracer.marks()).length > 0))
  return marked.filter((isMarked, i) => isMarked && !reachable.has(i)).length
}

function meet(a: ReadonlySet<Cell>, b: ReadonlySet<Cell>): boolean {
  return [...a].some((cell) => b.has(cell))
}
