/**
 * The audit log of a peer: one line for each action of its operator, in a chain of hashes. node/CENTRAL.md "Audit".
 * An action is written and synced before it happens, so no action is missing; one that cannot be written does not happen.
 * A changed, removed or inserted line breaks the chain. Lines that are cut off at the end show only in the noted head.
 * No line contains a user, a hash of a place, a code or an address. Throws STORAGE_FULL, BUSY.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Clock, oneAtATime } from '@geotrace/core-wasm'
import * as z from 'zod/mini'
import { syncDirectory } from '../platform/atomic-file.ts'
import { toDiskError } from '../platform/disk-error.ts'
import type { AdminRoutes } from './server.ts'
import type { Caller } from './staff/roles.ts'

const AUDIT_FILE = 'audit.log'
/** The head of an empty log. */
export const START = '0'.repeat(64)
const NEWLINE = 0x0a
/** Longer than any line: an action has at most a few numbers. */
const LINE_MAX_BYTES = 4_096

const hash = z.string().check(z.regex(/^[0-9a-f]{64}$/))
const lineSchema = z.strictObject({
  /** Unix ms of this machine's clock. */
  at: z.int(),
  action: z.string().check(z.regex(/^[a-z]+(\.[a-z]+)+$/)),
  details: z.record(z.string(), z.union([z.number(), z.boolean(), z.string().check(z.maxLength(256))])),
  previous: hash,
  hash,
})

export type AuditLine = z.infer<typeof lineSchema>
export type AuditDetails = AuditLine['details']
/** The details of an action from the body of its request; the body may be anything. */
export type Describe = (body: unknown) => AuditDetails

export interface AuditLog {
  append(action: string, details?: AuditDetails): Promise<void>
  close(): Promise<void>
}
/** A whole log, checked. */
export interface CheckedLog {
  readonly lines: readonly AuditLine[]
  /** The hash of the newest line. */
  readonly head: string
  /** Numbers of the lines, from 1, that do not follow from the line before. */
  readonly broken: readonly number[]
}

/** Opens the log of a directory, and makes it if it is missing. A line that a crash cut is removed, which the log says. */
export async function openAuditLog(dir: string, clock: Clock): Promise<AuditLog> {
  const file = await open(join(dir, AUDIT_FILE), 'a+', 0o600)
  await syncDirectory(dir)
  // First, because a line without its line break would be read as a whole one.
  const torn = await removeTorn(file)
  const { head } = await readAuditLog(dir)
  const log = auditLog(file, head, clock)
  if (torn > 0) await log.append('log.cut', { bytes: torn })
  return log
}

/** The lines of a log and what is wrong with them. A missing log is empty. */
export async function readAuditLog(dir: string): Promise<CheckedLog> {
  return await checkLines(textLines(join(dir, AUDIT_FILE)))
}

async function* textLines(path: string): AsyncGenerator<string> {
  try {
    yield* createInterface({ input: createReadStream(path) })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

/** The lines, and which of them break their chain. */
export async function checkLines(texts: AsyncIterable<string>): Promise<CheckedLog> {
  const lines: AuditLine[] = []
  const broken: number[] = []
  let head = START
  let number = 0
  for await (const text of texts) {
    number++
    const line = toLine(text)
    if (line === undefined || line.previous !== head || lineToHash(line) !== line.hash) broken.push(number)
    if (line === undefined) continue
    lines.push(line)
    head = line.hash
  }
  return { lines, head, broken }
}

/** The routes of a control server, each action written before it happens. Routes that are not named only read. */
export function audited(
  routes: AdminRoutes,
  log: Pick<AuditLog, 'append'>,
  actions: Readonly<Record<string, readonly [action: string, describe: Describe]>>,
): AdminRoutes {
  return Object.fromEntries(
    Object.entries(routes).map(([key, route]) => {
      const [action, describe] = actions[key] ?? []
      if (action === undefined || describe === undefined) return [key, route]
      return [
        key,
        async (body: unknown, caller: Caller) => {
          await log.append(action, { ...describe(body), by: caller.name, role: caller.role })
          return await route(body, caller)
        },
      ]
    }),
  )
}

function auditLog(file: FileHandle, before: string, clock: Clock): AuditLog {
  const inTurn = oneAtATime()
  let head = before
  /** Where whole lines end after a failed write. Half a line before another one would break the chain for good. */
  let cutAt: number | undefined
  const cut = async (): Promise<void> => {
    if (cutAt !== undefined) await file.truncate(cutAt)
    cutAt = undefined
  }
  return {
    append: (action, details = {}) =>
      inTurn(async () => {
        const line = toChained({ at: clock.now(), action, details, previous: head })
        try {
          await cut()
          cutAt = (await file.stat()).size
          await file.appendFile(`${JSON.stringify(line)}\n`)
          await file.datasync()
          cutAt = undefined
        } catch (error) {
          // Where even that fails, the next line tries again first.
          await cut().catch(() => {})
          throw toDiskError(error, 'audit log')
        }
        head = line.hash
      }),
    close: () => inTurn(() => file.close()),
  }
}

/** The line with its hash. */
export function toChained(line: Omit<AuditLine, 'hash'>): AuditLine {
  return { ...line, hash: lineToHash(line) }
}

function lineToHash({ at, action, details, previous }: Omit<AuditLine, 'hash'>): string {
  const content = JSON.stringify([previous, at, action, Object.entries(details)])
  return createHash('sha256').update('geotrace/audit\0').update(content).digest('hex')
}

/** Undefined for text that is no line. */
export function toLine(text: string): AuditLine | undefined {
  try {
    return text.length > LINE_MAX_BYTES ? undefined : lineSchema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

/** Removes the bytes after the last line break, and returns how many there were. */
async function removeTorn(file: FileHandle): Promise<number> {
  const { size } = await file.stat()
  const tail = Buffer.alloc(Math.min(size, LINE_MAX_BYTES))
  await file.read(tail, 0, tail.length, size - tail.length)
  const torn = size === 0 ? 0 : tail.length - 1 - tail.lastIndexOf(NEWLINE)
  if (torn > 0) await file.truncate(size - torn)
  return torn
}
