/**
 * One database server of the central store: a bounded pool of connections, a deadline for every statement, and typed
 * errors. node/CENTRAL.md "PostgreSQL". No error and no log has the address of a server, which may contain a password.
 * Throws BUSY, STORAGE_FULL, STORAGE_CORRUPT, STORE_MISSING, COMMAND_INVALID.
 */
import type { Clock } from '@geotrace/core-wasm'
import { FederationError, isFederationError } from '@geotrace/core-wasm/wire'
import type pg from 'pg'
import type { Condition } from '../central-store.ts'
import { isConflict, toSqlState, toStoreError } from './errors.ts'

const CONNECTIONS = 8
const CONNECT_MS = 5_000
/** A statement that takes longer is stopped by the server; the client waits a little longer for the server to say so. */
const STATEMENT_MS = 20_000
const LOCK_MS = 10_000
const ANSWER_MS = 25_000
const IDLE_MS = 30_000
const LOOK_MS = 2_000
/** Tries of a transaction that the server ended because of another one. */
const TRIES_MAX = 5
/** Rows that a cursor reads at once. */
const FETCHED = 256

/** A value of a column: bytes, a whole number, or undefined for NULL. */
type Value = Uint8Array | number | string | boolean | undefined
type Column = readonly number[] | Uint8Array | number | string | boolean | undefined
export type Line = Readonly<Record<string, Value>>

/** Runs statements. Numbers come as numbers, `bytea` as bytes. Each query has one statement. */
export interface Transaction {
  query<T extends object = Line>(text: string, ...values: readonly Column[]): Promise<T[]>
}
export interface Server extends Transaction {
  /** The place of the server in the list of the authority. */
  readonly name: string
  readonly condition: Condition
  /** Runs the task in a transaction, again when another transaction was in the way. */
  transaction<T>(task: (session: Transaction) => Promise<T>): Promise<T>
  /** The lines of a query, read in pieces. */
  lines<T extends object = Line>(text: string, ...values: readonly Column[]): AsyncGenerator<T>
  /** A read found damage. The condition stays. */
  noteDamage(): void
  close(): Promise<void>
}

interface ServerInit {
  url: string
  name: string
  clock: Clock
}

/** Connects at the first query. Throws COMMAND_INVALID. */
export async function openServer({ url, name, clock }: ServerInit): Promise<Server> {
  const { Pool } = await loadDriver()
  const pool = new Pool({
    ...toAddress(url, name),
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_MS,
    idleTimeoutMillis: IDLE_MS,
    query_timeout: ANSWER_MS,
    statement_timeout: STATEMENT_MS,
    lock_timeout: LOCK_MS,
    idle_in_transaction_session_timeout: ANSWER_MS,
    keepAlive: true,
    application_name: 'geotrace',
    types: { getTypeParser: toParser as typeof pg.types.getTypeParser },
  })
  // An idle connection that ends is no failure: the next query opens another one.
  pool.on('error', () => {})
  // Between two statements of a transaction the next statement says that the connection has ended.
  pool.on('connect', (client) => void client.on('error', () => {}))
  return new PooledServer(name, pool, clock)
}

class PooledServer implements Server {
  readonly name: string
  readonly #pool: pg.Pool
  readonly #clock: Clock
  #condition: Condition = 'sound'
  #isClosed = false
  #cancel = (): void => {}

  constructor(name: string, pool: pg.Pool, clock: Clock) {
    this.name = name
    this.#pool = pool
    this.#clock = clock
  }

  get condition(): Condition {
    return this.#condition
  }

  async query<T extends object = Line>(text: string, ...values: readonly Column[]): Promise<T[]> {
    try {
      const lines = await this.#connected((client) => toTransaction(client).query<T>(text, ...values))
      this.#note('sound')
      return lines
    } catch (error) {
      return this.#fail(error)
    }
  }

  async transaction<T>(task: (session: Transaction) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        const result = await this.#once(task)
        this.#note('sound')
        return result
      } catch (error) {
        if (tries === TRIES_MAX || !isConflict(error)) return this.#fail(error)
      }
    }
  }

  async *lines<T extends object = Line>(text: string, ...values: readonly Column[]): AsyncGenerator<T> {
    const client = await this.#pool.connect().catch((error) => this.#fail(error))
    let isDone = false
    try {
      await client.query('begin')
      await toTransaction(client).query(`declare reading no scroll cursor for ${text}`, ...values)
      for (let count = FETCHED; count === FETCHED; ) {
        const lines = await toTransaction(client).query<T>(`fetch ${FETCHED} from reading`)
        yield* lines
        count = lines.length
      }
      await client.query('commit')
      isDone = true
    } catch (error) {
      this.#fail(error)
    } finally {
      // The end of the connection also ends a cursor that the caller left.
      client.release(!isDone)
    }
  }

  noteDamage(): void {
    this.#note('damaged')
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancel()
    await this.#pool.end()
  }

  #once<T>(task: (session: Transaction) => Promise<T>): Promise<T> {
    return this.#connected(async (client) => {
      await client.query('begin')
      try {
        const result = await task(toTransaction(client))
        await client.query('commit')
        return result
      } catch (error) {
        // The pool drops a connection that cannot do this.
        await client.query('rollback').catch(() => {})
        throw error
      }
    })
  }

  async #connected<T>(task: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect()
    let isUsable = true
    try {
      return await task(client)
    } catch (error) {
      // A connection whose state is unknown is not used again.
      isUsable = isFederationError(error) || toSqlState(error) !== undefined
      throw error
    } finally {
      client.release(!isUsable)
    }
  }

  #fail(error: unknown): never {
    const known = toStoreError(error, this.name)
    if (isFederationError(known, 'STORAGE_FULL')) this.#note('full')
    else if (isFederationError(known, 'STORAGE_CORRUPT')) this.#note('damaged')
    else if (isFederationError(known, 'BUSY') && !isFederationError(error) && !isConflict(error)) this.#note('failed')
    throw known
  }

  /** Asks a server that failed now and then, so that it is sound again without another query. */
  #note(next: Condition): void {
    if (this.#condition === next) return
    if (this.#condition !== 'damaged') this.#condition = next
    this.#cancel()
    if (next === 'sound' || this.#isClosed) return
    const look = (): void =>
      void this.query('select 1').catch(() => {
        if (!this.#isClosed) this.#cancel = this.#clock.setTimer(look, LOOK_MS)
      })
    this.#cancel = this.#clock.setTimer(look, LOOK_MS)
  }
}

/** Loaded only for a store on PostgreSQL. */
async function loadDriver(): Promise<typeof pg> {
  return (await import('pg')).default
}

function toTransaction(client: pg.PoolClient): Transaction {
  return {
    async query(text, ...values) {
      const { rows } = await client.query(text, values.map(toParameter))
      return rows
    },
  }
}

function toParameter(value: Column): unknown {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value
}

/** Results are text: the driver reads no binary ones (8.23). Parameters that are bytes go as they are. */
function toParser(type: number): (text: string) => Value {
  return PARSERS[type] ?? ((text) => text)
}

/** By the numbers of the types: bool, bytea, int8, int2, int4. */
const PARSERS: Readonly<Record<number, (text: string) => Value>> = {
  16: (text) => text === 't',
  // After the two characters that say hexadecimal.
  17: (text) => new Uint8Array(Buffer.from(text.slice(2), 'hex')),
  20: Number,
  21: Number,
  23: Number,
}

/** Throws COMMAND_INVALID, without the address. */
function toAddress(url: string, name: string): pg.PoolConfig {
  if (/^postgres(?:ql)?:\/\//.test(url) && URL.canParse(url)) return { connectionString: url }
  const reason = `${name} expected an address postgres://user@host:port/database`
  throw new FederationError('COMMAND_INVALID', reason, { reason })
}
