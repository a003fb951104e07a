/**
 * On the first server is all that belongs to no user: reports, codes, pins, enrolments, slips, counters and records.
 * PROTOCOL.md §8. Each decision is one statement or one transaction, so it falls once for all processes. Throws BUSY.
 */
import { concatBytes, equalBytes, type Pin } from '@geotrace/core-wasm/wire'
import type {
  CentralStore,
  CodeRecord,
  EnrolmentRecord,
  Lease,
  LeasedWrites,
  ReportProgress,
  ReportRecord,
  Slip,
} from '../central-store.ts'
import { decodeJson, encodeJson } from '../codecs.ts'
import { epochToDay, timeToDay } from '../day.ts'
import { writeUnder } from './leases.ts'
import type { Line, Transaction } from './server.ts'
import { pack, type ServerGroup, toBytes } from './server-group.ts'

const NO_BYTES = new Uint8Array(0)
/** Codes in one statement. */
const CHUNK = 500
const NAME_BYTES = 16

type RecordMethods =
  | 'nextReport'
  | 'reports'
  | 'progress'
  | 'findEnrolment'
  | 'putEnrolment'
  | 'pins'
  | 'putPin'
  | 'count'
  | 'record'
  | 'changeRecord'

export function records(group: ServerGroup): Pick<CentralStore, RecordMethods> {
  const { head, toKey } = group
  const open = <T extends ReportRecord | ReportProgress | Pin | EnrolmentRecord>(what: string, line: Line): T =>
    decodeJson<T>(group.open(head, what, toBytes(line)))
  return {
    async nextReport() {
      const [line] = await head.query<{ n: number }>("select nextval('report_number') as n")
      return line!.n
    },
    async reports() {
      const lines = await head.query('select id, b from report order by id')
      return lines.map((line) => open<ReportRecord>(`report/${line.id}`, line))
    },
    async progress() {
      const lines = await head.query('select report, b from progress order by report')
      return lines.map((line) => open<ReportProgress>(`progress/${line.report}`, line))
    },
    findEnrolment: (name) => findEnrolment(group, head, name),
    putEnrolment: (name, record, before) =>
      head.transaction(async (session) => {
        const known = await findEnrolment(group, session, name, 'for update')
        if (!equalBytes(known?.bytes ?? NO_BYTES, before ?? NO_BYTES)) return false
        const key = toKey('enrolment', name)
        const body = group.seal(`enrolment/${Buffer.from(key).toString('hex')}`, encodeJson(record))
        const text =
          known === undefined
            ? 'insert into enrolment values ($1, $2, $3) on conflict do nothing returning 1 as n'
            : 'update enrolment set last_day = $2, b = $3 where name = $1 returning 1 as n'
        return (await session.query(text, key, record.until, body)).length > 0
      }),
    async pins() {
      const lines = await head.query('select epoch, b from pin order by epoch')
      return lines.map((line) => open<Pin>(`pin/${line.epoch}`, line))
    },
    async putPin(pin) {
      const body = group.seal(`pin/${pin.epoch}`, encodeJson(pin))
      await head.query('insert into pin values ($1, $2) on conflict do nothing', pin.epoch, body)
      const [line] = await head.query('select b from pin where epoch = $1', pin.epoch)
      return open<Pin>(`pin/${pin.epoch}`, line!)
    },
    async count({ name, until, add, max }) {
      if (add > max) return undefined
      const [line] = await head.query<{ n: number }>(
        `insert into step values ($1, $2, $3) on conflict (name) do update
          set n = step.n + excluded.n, last_day = excluded.last_day where step.n + excluded.n <= $4 returning n`,
        toKey('step', name),
        until,
        add,
        max,
      )
      return line?.n
    },
    changeRecord: (name, value, before) => changeRecord(group, name, value, before),
    async record(name) {
      const [line] = await head.query('select b from record where name = $1', toKey('record', name))
      return line && group.open(head, `record/${name}`, toBytes(line))
    },
  }
}

function changeRecord(
  group: ServerGroup,
  name: string,
  value: Uint8Array,
  before: Uint8Array | undefined,
): Promise<boolean> {
  const { head, toKey } = group
  return head.transaction(async (session) => {
    const key = toKey('record', name)
    const body = group.seal(`record/${name}`, value)
    if (before === undefined) {
      const text = 'insert into record values ($1, $2) on conflict do nothing returning 1 as n'
      return (await session.query(text, key, body)).length > 0
    }
    const [line] = await session.query('select b from record where name = $1 for update', key)
    if (line === undefined || !equalBytes(group.open(head, `record/${name}`, toBytes(line)), before)) return false
    await session.query('update record set b = $2 where name = $1', key, body)
    return true
  })
}

type CodeMethods = 'findCode' | 'putCodes' | 'closeCode' | 'codes'

export function reportCodes(group: ServerGroup): Pick<CentralStore, CodeMethods> {
  const { head, toKey } = group
  const open = (key: Uint8Array, line: Line): CodeRecord =>
    decodeJson<CodeRecord>(group.open(head, codeName(key), toBytes(line)))
  return {
    async findCode(hash) {
      const key = toKey('code', hash)
      const [line] = await head.query('select b from code where hash = $1', key)
      return line && open(key, line)
    },
    async putCodes(codes) {
      for (let i = 0; i < codes.length; i += CHUNK) {
        const chunk = codes.slice(i, i + CHUNK)
        const keys = chunk.map(({ hash }) => toKey('code', hash))
        const bodies = chunk.map((code, n) => group.seal(codeName(keys[n]!), encodeJson(code)))
        await head.query(
          `insert into code select substring($1::bytea, (n - 1)::int4 * ${NAME_BYTES} + 1, ${NAME_BYTES}), is_open = 1,
              last_day, nullif(spent_day, -1), substring($2::bytea, at, size)
            from unnest($3::int4[], $4::int4[], $5::int4[], $6::int4[], $7::int4[])
              with ordinality as item(at, size, is_open, last_day, spent_day, n)
            on conflict (hash) do update set is_open = excluded.is_open, last_day = excluded.last_day,
              spent_day = excluded.spent_day, b = excluded.b`,
          concatBytes(...keys),
          ...pack(bodies),
          chunk.map(({ state }) => (state === 'open' ? 1 : 0)),
          chunk.map(({ expiresAt }) => timeToDay(expiresAt)),
          chunk.map(({ spent }) => spent?.day ?? -1),
        )
      }
    },
    closeCode: (code) => closeCode(group, head, code),
    async *codes() {
      for await (const line of head.lines('select hash, b from code')) yield open(toBytes(line, 'hash'), line)
    },
  }
}

type RecordWrites = Pick<LeasedWrites, 'putReport' | 'putProgress' | 'putRecord'>

export function recordWrites(group: ServerGroup, lease?: Lease): RecordWrites {
  const write = (task: (session: Transaction) => Promise<unknown>): Promise<void> =>
    writeUnder(group, group.head, lease, async (session) => void (await task(session)))
  return {
    putReport: (report) => write((session) => putReport(group, session, report)),
    putProgress: (item) =>
      write((session) =>
        session.query(
          'insert into progress values ($1, $2) on conflict (report) do update set b = excluded.b',
          item.report,
          group.seal(`progress/${item.report}`, encodeJson(item)),
        ),
      ),
    putRecord: (name, value) =>
      write((session) =>
        session.query(
          'insert into record values ($1, $2) on conflict (name) do update set b = excluded.b',
          group.toKey('record', name),
          group.seal(`record/${name}`, value),
        ),
      ),
  }
}

export async function putReport(group: ServerGroup, session: Transaction, report: ReportRecord): Promise<void> {
  await session.query(
    `insert into report values ($1, $2, $3)
      on conflict (id) do update set last_day = excluded.last_day, b = excluded.b`,
    report.id,
    epochToDay(report.until),
    group.seal(`report/${report.id}`, encodeJson(report)),
  )
}

/** Writes the record of a code that is open. */
export async function closeCode(group: ServerGroup, session: Transaction, code: CodeRecord): Promise<boolean> {
  const key = group.toKey('code', code.hash)
  const closed = await session.query(
    'update code set is_open = $2, last_day = $3, spent_day = $4, b = $5 where hash = $1 and is_open returning 1 as n',
    key,
    code.state === 'open',
    timeToDay(code.expiresAt),
    code.spent?.day,
    group.seal(codeName(key), encodeJson(code)),
  )
  return closed.length > 0
}

export function codeName(key: Uint8Array): string {
  return `code/${Buffer.from(key).toString('hex')}`
}

async function findEnrolment(
  group: ServerGroup,
  session: Transaction,
  name: Uint8Array,
  lock = '',
): Promise<EnrolmentRecord | undefined> {
  const key = group.toKey('enrolment', name)
  const [line] = await session.query(`select b from enrolment where name = $1 ${lock}`, key)
  if (line === undefined) return undefined
  const what = `enrolment/${Buffer.from(key).toString('hex')}`
  return decodeJson<EnrolmentRecord>(group.open(group.head, what, toBytes(line)))
}

type SlipMethods = 'slipPeriods' | 'takeSlips' | 'batchOf' | 'closePeriod' | 'dropPeriod'

export function slips(group: ServerGroup): Pick<CentralStore, SlipMethods> {
  const { head } = group
  const readSlips = async (session: Transaction, period: number): Promise<Slip[]> => {
    const lines = await session.query<{ report: number }>('select report, b from slip where period = $1', period)
    const found = lines.map((line) => ({
      report: line.report,
      bytes: group.open(head, `slip/${period}/${line.report}`, toBytes(line as Line)),
    }))
    return found.sort((a, b) => Buffer.compare(a.bytes, b.bytes))
  }
  const readBatch = async (session: Transaction, period: number): Promise<Uint8Array | undefined> => {
    const [line] = await session.query('select b from batch where period = $1', period)
    return line && group.open(head, `batch/${period}`, toBytes(line))
  }
  return {
    async slipPeriods() {
      const lines = await head.query<{ period: number }>(
        'select period from slip union select period from batch order by period',
      )
      return lines.map(({ period }) => period)
    },
    takeSlips: (period) => readSlips(head, period),
    batchOf: (period) => readBatch(head, period),
    closePeriod: (period, reports) =>
      head.transaction(async (session) => {
        const known = await readBatch(session, period)
        if (known !== undefined) return known
        // A slip that is deleted or added meanwhile waits, and the batch has what this statement saw.
        await session.query('select report from slip where period = $1 for update', period)
        const chosen = new Set(reports)
        const found = (await readSlips(session, period)).filter(({ report }) => chosen.has(report))
        const batch = concatBytes(...found.map(({ bytes }) => bytes))
        const body = group.seal(`batch/${period}`, batch)
        // A second process that closes the period fails here, and then finds the batch.
        await session.query('insert into batch values ($1, $2)', period, body)
        await session.query('delete from slip where period = $1', period)
        return batch
      }),
    dropPeriod: (period) =>
      head.transaction(async (session) => {
        await session.query('delete from slip where period = $1', period)
        await session.query('delete from batch where period = $1', period)
      }),
  }
}
