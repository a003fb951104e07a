/**
 * A central peer that is killed, and one whose power fails, at any moment of deposits, closings, reports, computations and
 * retention. Each process opens the store that the one before left. After some of them nothing that they acknowledged is
 * missing, no count is torn, and the marks are those of a plain model.
 * A power cut is a copy of the block device of a mounted file system, which needs root. FAULTS_KILLS and FAULTS_CUTS set
 * smaller numbers.
 */
import { type ChildProcess, execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '@geotrace/core-wasm'
import { EPOCHS_PER_DAY, type Row } from '@geotrace/core-wasm/wire'
import { beforeAll, expect, it } from 'vitest'
import { bundleProgram, startProgram } from '../../../scripts/test-program.js'
import { levelStore } from '../../src/central/store/level/level-store.ts'
import { hashToKey } from '../../src/central/store/row-set.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { type ModelMark, type ModelRow, modelMarks } from '../central/risk/risk-model.ts'
import { rowsOf, syncId } from '../central/store/sample.ts'
import { PEOPLE, type Peer, PROFILE, startPeer, toStep, UNTIL } from './central-steps.ts'

const KILLS = Number(process.env.FAULTS_KILLS ?? 500)
const CUTS = Number(process.env.FAULTS_CUTS ?? 100)
/** Interruptions of one store. Its fourth day comes after some twenty, and then retention drops days. */
const PER_STORE = 50
/** A loss stays, so a check after some interruptions finds what each of them lost. */
const PER_CHECK = 5
const STEPS_MAX = 30
const DELAY_MS = 25
const IMAGE = '96M'
const mebibyte = (path: string) => execFileSync('truncate', ['-s', IMAGE, path])

/** Where the store of one life lies, and how it ends. */
interface Machine {
  readonly dir: string
  /** Ends the process. Afterwards `dir` has what the disk kept. */
  end(child: ChildProcess): Promise<void>
  close(): void
}

function killing(root: string): Machine {
  return {
    dir: join(root, 'store'),
    async end(child) {
      child.kill('SIGKILL')
      await closed(child)
    },
    close: () => {},
  }
}

function cutting(root: string): Machine {
  const [image, next, mounted] = ['image', 'next', 'mounted'].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ]
  mkdirSync(mounted)
  mebibyte(image)
  execFileSync('mkfs.ext4', ['-q', image])
  const mount = () => execFileSync('mount', ['-o', 'loop', image, mounted])
  const unmount = () => execFileSync('umount', [mounted])
  mount()
  return {
    dir: join(mounted, 'store'),
    async end(child) {
      child.kill('SIGSTOP')
      // The lines that are in the pipe were acknowledged.
      await pause(100)
      execFileSync('cp', ['--sparse=always', image, next])
      child.kill('SIGKILL')
      await closed(child)
      unmount()
      renameSync(next, image)
      mount()
    },
    close: unmount,
  }
}

const closed = (child: ChildProcess) =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => void child.once('close', resolve))

let program: string
beforeAll(async () => {
  program = await bundleProgram('node/test/faults/central-child.ts')
})

/** One store from its founding, and all that the test knows of it. */
class Life {
  readonly seed: number
  readonly machine: Machine
  next = 0
  acknowledged: number[] = []
  /** The rows of each person that were ever found, by `epoch/hash`. */
  readonly seen = PEOPLE.map(() => new Map<string, { row: Row; epoch: number }>())
  marks = 0
  exact = 0

  constructor(seed: number, machine: Machine) {
    this.seed = seed
    this.machine = machine
  }

  async interrupt(dice: number): Promise<void> {
    const child = startProgram(program, [this.machine.dir, `${this.seed}`, `${this.next}`])
    const steps = 1 + (dice % STEPS_MAX)
    const begun = new Promise<void>((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        this.acknowledged.push(Number(line))
        this.next = Number(line) + 1
        if (this.acknowledged.length % STEPS_MAX === steps % STEPS_MAX) resolve()
      })
      child.once('close', () => resolve())
    })
    await begun
    // A process that ended by itself would prove nothing.
    expect(child.exitCode).toBe(null)
    await pause((dice >>> 8) % DELAY_MS)
    await this.machine.end(child)
  }

  async check(): Promise<void> {
    const store = await levelStore({ dir: this.machine.dir, random: systemRandom, clock: systemClock() })
    const peer = await startPeer(store, toStep(this.seed, this.next))
    try {
      await this.#checkRows(peer)
      await this.#checkReports(peer)
      await this.#checkMarks(peer)
    } finally {
      await peer.risk.stop()
      await store.close()
    }
  }

  async #checkRows({ store, users }: Peer): Promise<void> {
    const counts = new Map<number, number>()
    const now = PEOPLE.map(() => new Map<string, Row>())
    for (const epoch of await store.epochs()) {
      for (const person of PEOPLE) {
        for (const row of await rowsOf(store, epoch, users[person]!)) {
          const key = `${epoch}/${hashToKey(row.hash)}`
          now[person]!.set(key, row)
          this.seen[person]!.set(key, { row, epoch })
          const day = Math.floor(epoch / EPOCHS_PER_DAY)
          counts.set(day, (counts.get(day) ?? 0) + 1)
        }
      }
    }
    const { days } = await store.statistics()
    expect(days.filter(({ rows }) => rows > 0).map(({ day, rows }) => [day, rows])).toEqual([...counts])
    for (const n of this.acknowledged) {
      const step = toStep(this.seed, n)
      if (step.kind !== 'deposit') continue
      if (step.day >= store.floor())
        expect(await store.findSync(users[step.person]!, syncId(n)), `sync ${n}`).toBeDefined()
      for (const { epoch, rows } of step.groups) {
        if (Math.floor(epoch / EPOCHS_PER_DAY) < store.floor()) continue
        for (const { hash, lags } of rows) {
          const found = now[step.person]!.get(`${epoch}/${hashToKey(hash)}`)
          expect((found?.lags ?? 0) & lags, `a row of sync ${n}`).toBe(lags)
        }
      }
    }
  }

  /** The last acknowledged change of each reporter holds, or the change that was interrupted. */
  async #checkReports({ store, users }: Peer): Promise<void> {
    const active = (await store.reports()).filter(({ state }) => state === 'active')
    for (const person of [0, 1]) {
      const isChange = (n: number) => {
        const step = toStep(this.seed, n)
        return (step.kind === 'report' || step.kind === 'withdraw') && step.person === person
      }
      const last = this.acknowledged.findLast(isChange)
      const possible = [last, ...(isChange(this.next) ? [this.next] : [])].map((n) => {
        const step = n === undefined ? undefined : toStep(this.seed, n)
        return step?.kind === 'report' ? step.from : undefined
      })
      expect(possible).toContain(active.find(({ user }) => user === users[person])?.from)
    }
  }

  async #checkMarks({ store, risk, users }: Peer): Promise<void> {
    await risk.settled()
    expect(risk.status.quarantined).toEqual([])
    const floor = store.floor() * EPOCHS_PER_DAY
    const spots = new Map<string, number>()
    const toRows = (isCounted: (epoch: number) => boolean): ModelRow[] => {
      const rows = this.seen.flatMap((own, person) =>
        [...own]
          .filter(([, { epoch }]) => isCounted(epoch))
          .map(([key, { row, epoch }]) => ({ key, row, epoch, person })),
      )
      const holders = new Map<string, number>()
      for (const { key } of rows) holders.set(key, (holders.get(key) ?? 0) + 1)
      return rows
        .filter(({ key }) => holders.get(key)! > 1)
        .map(({ key, row, epoch, person }) => {
          if (!spots.has(key)) spots.set(key, spots.size)
          return {
            user: person,
            epoch,
            spot: spots.get(key)!,
            size: row.size,
            current: (row.lags & 1) !== 0,
            next: (row.lags & 2) !== 0,
          }
        })
    }
    const reports = (await store.reports()).filter(({ state }) => state === 'active')
    const toMarks = (rows: ModelRow[]): Map<string, ModelMark> => {
      const all = new Map<string, ModelMark>()
      for (const { user, from } of reports) {
        const report = { user: users.indexOf(user), from, until: UNTIL }
        for (const [key, mark] of modelMarks(rows, report, {
          ...PROFILE,
          thresholds: [...PROFILE.thresholds],
          sizes: { ...PROFILE.sizes },
        }))
          if (isAtLeast(mark, all.get(key)) && Number(key.split('/')[1]) >= floor) all.set(key, mark)
      }
      return all
    }
    const least = toMarks(toRows((epoch) => epoch >= floor))
    const most = toMarks(toRows(() => true))
    const got = new Map<string, ModelMark>()
    for (const person of PEOPLE) {
      for (const { epoch, hash, degree, weight, lag } of (await store.marks(users[person]!))!.entries)
        got.set(`${person}/${epoch}/${spots.get(`${epoch}/${hashToKey(hash)}`)}`, { degree, weight, lag })
    }
    this.marks += got.size
    // A mark outlives the rows of dropped days by which it came about. Before the first drop there is one answer.
    if (store.floor() <= Math.min(...this.acknowledged.map((n) => toStep(this.seed, n).day))) {
      expect(new Map([...got].sort())).toEqual(new Map([...most].sort()))
      this.exact++
    }
    for (const [key, mark] of least) expect(isAtLeast(got.get(key), mark), key).toBe(true)
    for (const [key, mark] of got) expect(isAtLeast(most.get(key), mark), key).toBe(true)
  }
}

/** Whether a mark is at least as grave as another one. Any mark is graver than none. */
function isAtLeast(a: ModelMark | undefined, b: ModelMark | undefined): boolean {
  if (b === undefined) return true
  if (a === undefined) return false
  return (a.degree - b.degree || b.weight - a.weight || a.lag - b.lag) <= 0
}

async function interruptAll(count: number, machineOf: (root: string) => Machine): Promise<Record<string, number>> {
  const totals = { interruptions: 0, acknowledged: 0, marks: 0, exact: 0 }
  for (let done = 0; done < count; ) {
    const root = mkdtempSync(join(tmpdir(), 'geotrace-lives-'))
    const life = new Life(done, machineOf(root))
    try {
      for (let i = 0; i < PER_STORE && done < count; i++, done++) {
        const dice = systemRandom(4).reduce((all, byte) => all * 256 + byte, 0)
        await life.interrupt(dice)
        if (i % PER_CHECK === PER_CHECK - 1 || done === count - 1) await life.check()
      }
    } finally {
      life.machine.close()
      rmSync(root, { recursive: true })
    }
    totals.interruptions = done
    totals.acknowledged += life.acknowledged.length
    totals.marks += life.marks
    totals.exact += life.exact
    process.stdout.write(`${JSON.stringify(totals)}\n`)
  }
  return totals
}

it(`a central peer that is killed ${KILLS} times loses nothing, and its marks are those of the model`, async () => {
  const totals = await interruptAll(KILLS, killing)
  expect(totals.marks).toBeGreaterThan(KILLS / PER_CHECK)
  expect(totals.exact).toBeGreaterThan(0)
})

const canMountImages = process.getuid?.() === 0 && spawnSync('losetup', ['-f'], { stdio: 'ignore' }).status === 0
if (!canMountImages) process.stdout.write('power cuts are skipped: they need root and loop devices\n')

it.skipIf(!canMountImages)(
  `a central peer whose power fails ${CUTS} times loses nothing, and its marks are those of the model`,
  async () => {
    const totals = await interruptAll(CUTS, cutting)
    expect(totals.marks).toBeGreaterThan(CUTS / PER_CHECK)
  },
)
