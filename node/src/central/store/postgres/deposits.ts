/**
 * Deposits on database servers. PROTOCOL.md §8. Deposits that wait together become one transaction on the server of their
 * users, with rows and acknowledgements. A deposit that also changes a report touches the first server too: it leaves an
 * intent with its user, which any process finishes. Throws SYNC_CONFLICT, STORAGE_CORRUPT, STORAGE_FULL, BUSY.
 */
import { oneAtATime } from '@geotrace/core-wasm'
import { bytesToHex, FederationError, isFederationError } from '@geotrace/core-wasm/wire'
import type { Attempts, CentralStore, Deposit, User } from '../central-store.ts'
import { decodeJson, encodeJson } from '../codecs.ts'
import { findAck } from './blobs.ts'
import { planDeposit, type StoredOutcome, type UserLine } from './deposit-plan.ts'
import { daysOf, readHeld, readUserLines, writePlans } from './deposit-writes.ts'
import { isTableGone } from './errors.ts'
import { closeCode, putReport } from './records.ts'
import type { Server, Transaction } from './server.ts'
import { type ServerGroup, toBytes } from './server-group.ts'

/** StoredDeposits in one transaction. */
const TOGETHER_MAX = 64
const RETRY_MS = 1_000

type DepositMethods = 'findSync' | 'deposit' | 'attempts'

interface StoredDeposits extends Pick<CentralStore, DepositMethods> {
  /** Finishes the deposits that another process left between two servers. */
  finish(): Promise<void>
}

export function serverDeposits(group: ServerGroup): StoredDeposits {
  const { servers, head, serverOf } = group
  const writers = new Map(servers.map((server) => [server, batches(group, server)]))
  const finishOf = async (server: Server, where = '', ...values: (number | Uint8Array)[]): Promise<boolean> => {
    if (server === head) return false
    const lines = await server.query(`select usr, sync, b from intent ${where}`, ...values)
    for (const line of lines) {
      const [user, syncId] = [line.usr as User, toBytes(line, 'sync')]
      const body = group.open(server, intentName(user, syncId), toBytes(line))
      await finishIntent(group, server, decodeJson<Deposit>(body))
    }
    return lines.length > 0
  }
  return {
    async findSync(user, syncId, since = 0) {
      const server = serverOf(user)
      const known = await findAck(group, server, user, syncId, since)
      if (known !== undefined || !(await finishOf(server, 'where usr = $1 and sync = $2', user, syncId))) return known
      return await findAck(group, server, user, syncId, since)
    },
    async deposit(deposit) {
      const server = serverOf(deposit.user)
      if (!hasRecords(deposit)) return await writers.get(server)!(deposit)
      if (server === head)
        return await storeOne(group, server, deposit, (session) => applyRecords(group, session, deposit))
      await finishOf(server, 'where usr = $1', deposit.user)
      return await depositAcross(group, server, deposit)
    },
    async attempts(user): Promise<Attempts | undefined> {
      const [line] = await serverOf(user).query<UserLine>('select tried_day, tried from usr where usr = $1', user)
      return line === undefined || line.tried === 0 ? undefined : { day: line.tried_day, count: line.tried }
    },
    async finish() {
      for (const server of servers) await finishOf(server)
    },
  }
}

/** Whether a deposit writes what belongs to no user. */
function hasRecords({ reports = [], code, slip, isWithdrawal = false }: Deposit): boolean {
  return reports.length > 0 || code !== undefined || slip !== undefined || isWithdrawal
}

interface Waiting {
  readonly deposit: Deposit
  resolve(outcome: StoredOutcome): void
  reject(error: unknown): void
}

/** Writes the deposits of one server, those that wait together in one transaction. */
function batches(group: ServerGroup, server: Server): (deposit: Deposit) => Promise<StoredOutcome> {
  const inTurn = oneAtATime()
  let waiting: Waiting[] = []
  const flush = async (): Promise<void> => {
    const users = new Set<User>()
    const chosen: Waiting[] = []
    // A second deposit of a user waits, because it depends on the first one.
    waiting = waiting.filter((item) => {
      if (chosen.length >= TOGETHER_MAX || users.has(item.deposit.user)) return true
      users.add(item.deposit.user)
      chosen.push(item)
      return false
    })
    if (chosen.length === 0) return
    try {
      const outcomes = await store(
        group,
        server,
        chosen.map(({ deposit }) => deposit),
      )
      for (const [i, outcome] of outcomes.entries()) settle(chosen[i]!, outcome)
    } catch (error) {
      if (chosen.length === 1 || isFederationError(error, 'BUSY')) for (const item of chosen) item.reject(error)
      else for (const item of chosen) await storeAlone(item)
    }
  }
  /** One deposit may be the reason for a failure of all. */
  const storeAlone = async (item: Waiting): Promise<void> => {
    try {
      settle(item, (await store(group, server, [item.deposit]))[0]!)
    } catch (error) {
      item.reject(error)
    }
  }
  const settle = (item: Waiting, outcome: StoredOutcome | Error): void =>
    outcome instanceof Error ? item.reject(outcome) : item.resolve(outcome)
  return (deposit) =>
    new Promise((resolve, reject) => {
      waiting.push({ deposit, resolve, reject })
      void inTurn(flush)
    })
}

/** Stores deposits of different users in one transaction. */
async function store(
  group: ServerGroup,
  server: Server,
  deposits: readonly Deposit[],
  before?: (session: Transaction) => Promise<boolean>,
  isDecided = false,
): Promise<(StoredOutcome | Error)[]> {
  for (let isRepeated = false; ; isRepeated = true) {
    try {
      const people = await readUserLines(server, deposits)
      for (const day of daysOf(deposits, people)) await group.ensureDay(server, day)
      return await server.transaction((session) => storeIn(group, server, session, deposits, before, isDecided))
    } catch (error) {
      if (isRepeated || !isTableGone(error)) throw error
      // Another process dropped a day.
      group.forgetDays(server)
      await learnFloor(group)
    }
  }
}

async function storeIn(
  group: ServerGroup,
  server: Server,
  session: Transaction,
  deposits: readonly Deposit[],
  before: ((session: Transaction) => Promise<boolean>) | undefined,
  isDecided: boolean,
): Promise<(StoredOutcome | Error)[]> {
  const people = await readUserLines(session, deposits, 'for update')
  const held = await readHeld(group, server, session, deposits, people)
  const plans = deposits.map((deposit) => {
    const person = people.get(deposit.user)
    if (person !== undefined) return planDeposit(deposit, person, held.get(deposit.user)!, isDecided)
    return new FederationError('BUSY', 'the user was erased meanwhile: sync again', { retryAfterMs: RETRY_MS })
  })
  const stored = plans.flatMap((plan) => (plan instanceof Error || plan.outcome !== 'stored' ? [] : [plan]))
  if (stored.length > 0 && before !== undefined && !(await before(session))) return ['outdated']
  await writePlans(group, session, stored)
  return plans.map((plan) => (plan instanceof Error ? plan : plan.outcome))
}

async function storeOne(
  group: ServerGroup,
  server: Server,
  deposit: Deposit,
  before: (session: Transaction) => Promise<boolean>,
  isDecided = false,
): Promise<StoredOutcome> {
  const [outcome] = await store(group, server, [deposit], before, isDecided)
  if (outcome instanceof Error) throw outcome
  return outcome!
}

/** Writes what belongs to no user. False, with nothing written, when the code is not open any more. */
async function applyRecords(group: ServerGroup, session: Transaction, deposit: Deposit): Promise<boolean> {
  const { user, code, reports = [], slip, isWithdrawal = false } = deposit
  if (code !== undefined && !(await closeCode(group, session, code))) return false
  for (const report of reports) await putReport(group, session, report)
  if (isWithdrawal) await session.query('delete from slip where usr = $1', user)
  else if (slip !== undefined)
    await session.query(
      `insert into slip values ($1, $2, $3, $4)
        on conflict (period, report) do update set usr = excluded.usr, b = excluded.b`,
      slip.period,
      slip.report,
      user,
      group.seal(`slip/${slip.period}/${slip.report}`, slip.bytes),
    )
  return true
}

/** First the intent with the user, then the records, then the rows with the acknowledgement, which end the intent. */
async function depositAcross(group: ServerGroup, server: Server, deposit: Deposit): Promise<StoredOutcome> {
  const { user, syncId } = deposit
  let outcome: StoredOutcome | Error = 'stored'
  await server.transaction(async (session) => {
    const people = await readUserLines(session, [deposit], 'for update')
    const person = people.get(user)
    if (person === undefined)
      throw new FederationError('BUSY', 'the user was erased meanwhile: sync again', { retryAfterMs: RETRY_MS })
    const held = await readHeld(group, server, session, [deposit], people)
    const plan = planDeposit(deposit, person, held.get(user)!, false)
    outcome = plan instanceof Error ? plan : plan.outcome
    if (outcome !== 'stored') return
    const body = group.seal(intentName(user, syncId), encodeJson(deposit))
    await session.query('insert into intent values ($1, $2, $3) on conflict do nothing', user, syncId, body)
  })
  if ((outcome as unknown) instanceof Error) throw outcome
  if (outcome !== 'stored') return outcome
  return await finishIntent(group, server, deposit)
}

/** Does what is left of a deposit with an intent. Any number of processes may do this at once, and again. */
async function finishIntent(group: ServerGroup, server: Server, deposit: Deposit): Promise<StoredOutcome> {
  const { user, syncId, day } = deposit
  const isApplied = await group.head.transaction(async (session) => {
    const fresh = await session.query(
      'insert into applied values ($1, $2, $3) on conflict do nothing returning 1 as n',
      user,
      syncId,
      day,
    )
    if (fresh.length === 0 || (await applyRecords(group, session, deposit))) return true
    await session.query('delete from applied where usr = $1 and sync = $2', user, syncId)
    return false
  })
  const end = async (session: Transaction): Promise<boolean> => {
    await session.query('delete from intent where usr = $1 and sync = $2', user, syncId)
    return true
  }
  if (!isApplied) await end(server)
  return isApplied ? await storeOne(group, server, deposit, end, true) : 'outdated'
}

/** Learns the floor that another process set. */
export async function learnFloor(group: ServerGroup): Promise<void> {
  const [line] = await group.head.query("select b from setting where name = 'floor'")
  if (line === undefined) return
  const floor = new DataView(toBytes(line).buffer).getUint32(0)
  if (floor <= group.floor) return
  group.floor = floor
  await group.keys.dropBefore(floor)
}

function intentName(user: User, syncId: Uint8Array): string {
  return `intent/${user}/${bytesToHex(syncId)}`
}
