/**
 * Flips of single bits in the files of a level store. After each flip every answer of the store's interface is compared
 * with the answer before. A store may refuse with STORAGE_CORRUPT or STORE_MISSING, or answer as before, and nothing else.
 */
import { createHash } from 'node:crypto'
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { systemClock } from '@geotrace/core-wasm'
import { EPOCHS_PER_DAY } from '@geotrace/core-wasm/wire'
import type { CentralStore, User } from '../../../../src/central/store/central-store.ts'
import { levelStore } from '../../../../src/central/store/level/level-store.ts'
import { systemRandom } from '../../../../src/platform/random.ts'
import { deposit, group, hash, id, mark, row, syncId } from '../sample.ts'

const EPOCH = 100 * EPOCHS_PER_DAY
const USERS = 6
const SYNCS = 12
const CODES = 12
const REPORTS = 4

export interface FlipOutcomes {
  /** Flips that the opening or a read refused. */
  refused: number
  /** Flips that change no answer, for example in the log of LevelDB itself. */
  harmless: number
  /** Flips after which an answer differs, or an error has another code. */
  wrong: string[]
}

/** `logs`: the files as the last process left them. `tables`: after another opening, which turns logs into tables. */
export async function flipBits(form: 'logs' | 'tables', count: number, seed: number): Promise<FlipOutcomes> {
  const root = await mkdtemp(join(tmpdir(), 'geotrace-flips-'))
  try {
    const dir = join(root, 'store')
    const users = await fill(dir)
    if (form === 'tables') await (await open(dir)).close()
    const files = await sizes(dir)
    const truth = await answersOf(dir, users, root)
    const random = sequence(seed)
    const outcomes: FlipOutcomes = { refused: 0, harmless: 0, wrong: [] }
    for (let n = 0; n < count; n++) {
      const { path, size } = n % 2 === 0 ? bySize(files, random()) : files[Math.floor(random() * files.length)]!
      const [at, bit] = [Math.floor(random() * size), Math.floor(random() * 8)]
      const flip = async (copy: string): Promise<void> => {
        const bytes = await readFile(join(copy, path))
        bytes[at]! ^= 1 << bit
        await writeFile(join(copy, path), bytes)
      }
      const answers = await answersOf(dir, users, root, flip, n)
      const differ = Object.keys(truth).filter((name) => truth[name] !== answers[name])
      const wrong = differ.filter((name) => !REFUSALS.has(answers[name]!))
      if (differ.length === 0) outcomes.harmless++
      else if (wrong.length === 0) outcomes.refused++
      else outcomes.wrong.push(`${path} byte ${at} bit ${bit}: ${wrong.map((name) => `${name} ${answers[name]}`)}`)
    }
    return outcomes
  } finally {
    await rm(root, { recursive: true })
  }
}

const open = (dir: string): Promise<CentralStore> => levelStore({ dir, random: systemRandom, clock: systemClock() })

async function fill(dir: string): Promise<User[]> {
  const store = await open(dir)
  const users: User[] = []
  for (let u = 0; u < USERS; u++) users.push(await store.addUser(id(`u${u}`), 1, 100))
  for (const [u, user] of users.entries()) {
    for (let n = 0; n < SYNCS; n++) {
      const own = Array.from({ length: 20 }, (_, i) => row(`${u}/${n}/${i}`))
      const groups = [group(EPOCH + n, ...own, row(`shared ${n}`)), group(EPOCH + 18 + n, row(`${u}/b/${n}`))]
      const attempts = { day: 100, count: n + 1 }
      await store.deposit(deposit(user, 1_000 * u + n, groups, { attempts }))
    }
  }
  for (let n = 0; n < SYNCS; n += 2) await store.closeEpoch(EPOCH + n)
  await store.putCodes(
    Array.from({ length: CODES }, (_, n) => {
      return { hash: id(`code ${n}`), issuedAt: 0, expiresAt: 1e15, state: n % 3 === 0 ? 'revoked' : 'open' } as const
    }),
  )
  for (let n = 1; n <= REPORTS; n++) {
    const report = { id: await store.nextReport(), user: users[n]!, at: 5, from: EPOCH, until: EPOCH + 40 }
    await store.putReport({ ...report, state: n === 2 ? 'retracted' : 'active' })
  }
  for (const [u, user] of users.entries()) {
    const marks = Array.from({ length: 5 }, (_, i) => mark(EPOCH + i, `m${u}/${i}`))
    const changes = [
      { report: 1, marks },
      { report: 3, marks: marks.slice(0, 2) },
    ]
    const entries = marks.map((item, i) => ({ ...item, sequence: i + 1 }))
    await store.putMarks([{ user, changes, list: { generation: 5, last: 5, entries } }])
  }
  for (let n = 0; n < 4; n++)
    await store.putPin({ epoch: EPOCH + n, roster: id(`roster ${n}`), signature: new Uint8Array(64) })
  await store.close()
  return users
}

/** A digest of each answer, or the code of the error that the store gave instead. */
type Answers = Record<string, string>
const REFUSALS: ReadonlySet<string> = new Set(['STORAGE_CORRUPT', 'STORE_MISSING'])

async function answersOf(
  dir: string,
  users: User[],
  root: string,
  damage: (copy: string) => Promise<void> = async () => {},
  first = 0,
): Promise<Answers> {
  const copy = join(root, 'copy')
  await cp(dir, copy, { recursive: true })
  await cp(`${dir}.keys`, `${copy}.keys`)
  await damage(copy)
  let store: CentralStore | undefined
  try {
    store = await open(copy)
    return await ask(store, users, first)
  } catch (error) {
    return Object.fromEntries(Object.keys(questions(store!, users)).map((name) => [name, toCode(error)]))
  } finally {
    await store?.close()
    await rm(copy, { recursive: true })
  }
}

const toCode = (error: unknown): string => String((error as { code?: unknown }).code ?? error)
const count = (length: number) => Array.from({ length }, (_, n) => n)

/** Each question alone, in an order that varies, because an answer must be right whatever was asked before. */
function questions(store: CentralStore, users: User[]): Record<string, () => Promise<unknown>> {
  const epochs = count(36).map((n) => EPOCH + n)
  const collect = async (items: AsyncIterable<unknown>): Promise<unknown[]> => {
    const all: unknown[] = []
    for await (const item of items) all.push(item)
    return all
  }
  return {
    users: () => Promise.all(count(USERS).map((u) => store.findUser(id(`u${u}`)))),
    ...Object.fromEntries(
      users.map((user, u) => [`rows ${u}`, () => Promise.all(epochs.map((epoch) => store.userRows(epoch, [user])))]),
    ),
    syncs: () =>
      Promise.all(users.flatMap((user, u) => count(SYNCS).map((n) => store.findSync(user, syncId(1_000 * u + n))))),
    attempts: () => Promise.all(users.map((user) => store.attempts(user))),
    lists: () => Promise.all(users.map((user) => store.marks(user))),
    marks: () => Promise.all(users.map((user) => store.userMarks(user))),
    marked: () => Promise.all([1, 2, 3].map((report) => store.markedUsers(report))),
    code: () => Promise.all(count(CODES).map((n) => store.findCode(id(`code ${n}`)))),
    codes: () => collect(store.codes()),
    probed: () => Promise.all(count(SYNCS).map((n) => collect(store.probe(EPOCH + n, hash(`shared ${n}`))))),
    epochs: () => store.epochs(),
    reports: () => store.reports(),
    pins: () => store.pins(),
    statistics: () => store.statistics(),
    floor: async () => store.floor(),
    next: () => store.nextReport(),
  }
}

async function ask(store: CentralStore, users: User[], first: number): Promise<Answers> {
  const answers: Answers = {}
  const all = Object.entries(questions(store, users))
  for (const i of count(all.length)) {
    const [name, question] = all[(first + i) % all.length]!
    try {
      answers[name] = createHash('sha256')
        .update(JSON.stringify(await question()))
        .digest('hex')
    } catch (error) {
      answers[name] = toCode(error)
    }
  }
  return answers
}

interface FileSize {
  path: string
  size: number
}

async function sizes(dir: string): Promise<FileSize[]> {
  const items = await readdir(dir, { recursive: true, withFileTypes: true })
  const paths = items.filter((item) => item.isFile()).map((item) => join(item.parentPath, item.name))
  const files = await Promise.all(
    paths.map(async (path) => ({ path: relative(dir, path), size: (await stat(path)).size })),
  )
  return files.filter(({ size }) => size > 0).sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** The file of a byte at this fraction of all bytes. */
function bySize(files: readonly FileSize[], fraction: number): FileSize {
  let at = fraction * files.reduce((sum, { size }) => sum + size, 0)
  for (const file of files) {
    if (at < file.size) return file
    at -= file.size
  }
  return files.at(-1)!
}

/** Numbers from 0 to 1 that a seed repeats. */
function sequence(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return state / 0x80000000
  }
}
