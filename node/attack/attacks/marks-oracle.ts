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
  HOUR_MS,
  hashToRosterName,
  LAG_CURRENT,
  MINUTE_MS,
  ROWS_PER_SHAPE_MAX,
  type Row,
} from '@geotrace/core-wasm/wire'
import { systemRandom } from '../../src/platform/random.ts'
import { FRAMES_PER_DEVICE_HOUR } from '../../src/relay/frame-bounds.ts'
import { type Attack, atMost, type Figure } from '../lab/attack.ts'
import { budgetOf, evaluateUntilSpent, tokenBudgetOf } from '../lab/evaluations.ts'
import { type Intruder, openIntruder, patiently, replicasOf } from '../lab/intruder.ts'
import type { Lab } from '../lab/lab.ts'
import { worldToCells } from '../lab/map.ts'
import { syncAll } from '../lab/residents.ts'

const ADDRESS = 20
/** A bucket of frames holds an hour of them, and a day refills it. */
const HOURS = 25
/** Syncs in which a pseudonym reads its marks. A reply has room for 49. */
const READS_MAX = 2
/** Only matches of the shortest blocks carry a risk on to others. */
const CHAIN_MIN = 5

interface Fabricated {
  readonly cell: Cell
  readonly rows: readonly Row[]
}

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
    const fabricated = await fabricate(lab, intruder)
    const cellOf = new Map(fabricated.flatMap(({ cell, rows }) => rows.map(({ hash }) => [bytesToHex(hash), cell])))
    const pseudonyms = await deposit(lab, intruder, fabricated)
    const [code] = (await federation.central.issueCodes({ count: 1, days: 1 })).codes
    const reporter = residents[0]!
    await patiently(() => reporter.tracer.report(code!))
    // Marks follow after the replies.
    await federation.central.settled()
    const marked = new Set<Cell>()
    for (const secret of pseudonyms) {
      for (const hash of await readMarks(intruder, secret)) marked.add(cellOf.get(hash)!)
    }
    await federation.central.settled()
    await syncAll(residents.filter((item) => item !== reporter))
    const warned = await warnedWithoutContact(lab)
    const isPlain = setting.parameters.salting === 'plain'
    const value = isPlain ? pseudonymsADay(lab) * ROWS_PER_SHAPE_MAX : fabricated.length
    const visited = new Set(reporter.fixes.map(({ lat, lng }) => lab.core.fixToCells(lat, lng)[0]))
    const right = [...marked].filter((cell) => visited.has(cell)).length
    const more = {
      'cells tested in this run': fabricated.length,
      'pseudonyms used': pseudonyms.length,
      'cells found where the reporter was': right,
      'cells where the reporter was': visited.size,
      'people warned who met nobody': warned,
    }
    const figure = { value, unit: 'cells an epoch and shard', more }
    if (isPlain) return figure
    const paid = { 'cells that the tokens of one device open': tokenBudgetOf(lab.certified.roster) }
    return { ...figure, more: { ...more, ...paid }, gate: atMost(value, budgetOf(lab.certified.roster), 'cells') }
  } finally {
    await intruder.close()
  }
}

/** Pseudonyms that one address can bring through all relays in a day: each takes one frame. */
function pseudonymsADay({ certified, federation }: Lab): number {
  const { devicesPerAddress } = federation.manifest.parameters
  return certified.roster.members.length * FRAMES_PER_DEVICE_HOUR * devicesPerAddress * HOURS
}

/** The two rows of every cell that the attacker can salt: the whole epoch tells, and five minutes carry a risk on. */
async function fabricate(lab: Lab, intruder: Intruder): Promise<Fabricated[]> {
  const { core, world, epoch, setting } = lab
  const cells = [...worldToCells(core, world)[0]]
  const short = { size: CHAIN_MIN, n: Math.floor((world.from + HOUR_MS / 2) / (CHAIN_MIN * MINUTE_MS)) }
  const blocks = [short, { size: EPOCH_MIN, n: epoch }]
  const secrets = new Map<Cell, readonly Uint8Array[]>()
  if (setting.parameters.salting === 'plain') {
    const salts = (await intruder.salts(replicasOf(lab)[0]!, blocks))!
    for (const cell of cells) secrets.set(cell, salts)
  } else {
    const { keys } = await evaluateUntilSpent(lab, { cells, epoch, address: ADDRESS })
    for (const [cell, key] of keys) secrets.set(cell, [key, key])
  }
  return [...secrets].map(([cell, own]) => {
    const rows = blocks.map(({ size, n }, i) => ({
      hash: core.riskHash(own[i]!, cell, size, n),
      size,
      lags: LAG_CURRENT,
    }))
    return { cell, rows }
  })
}

/** Returns the secrets of the pseudonyms. Each has as many cells as rows of one size may have. */
async function deposit(lab: Lab, intruder: Intruder, fabricated: readonly Fabricated[]): Promise<Uint8Array[]> {
  const pseudonyms: Uint8Array[] = []
  for (let i = 0; i < fabricated.length; i += ROWS_PER_SHAPE_MAX) {
    const secret = systemRandom(32)
    const rows = fabricated
      .slice(i, i + ROWS_PER_SHAPE_MAX)
      .flatMap((item) => item.rows)
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
