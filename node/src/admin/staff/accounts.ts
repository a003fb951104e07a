/**
 * The accounts of the authority's staff. node/CENTRAL.md "Roles". The list has the SHA-256 of each token. A revoked account
 * stays in the list, so that its name in the audit log means one account. Throws COMMAND_INVALID, FORBIDDEN, BUSY,
 * STORAGE_CORRUPT.
 */
import { createHash } from 'node:crypto'
import { type Clock, oneAtATime, type Random } from '@geotrace/core-wasm'
import { busy, bytesToHex, FederationError } from '@geotrace/core-wasm/wire'
import * as z from 'zod/mini'
import type { KeptText } from './kept-text.ts'
import { type Caller, OPERATOR, STAFF_ROLES } from './roles.ts'
import { afterCode, type FactorState, factorSchema, factorSecret, factorState, newFactor } from './second-factor.ts'
import { toBase32 } from './totp.ts'

export const ACCOUNTS_FILE = 'accounts.json'
/** Changes of other processes between a look and a change. */
const TRIES_MAX = 20
/** Larger than the staff of any health office. */
const ACCOUNTS_MAX = 1_000
const TOKEN_BYTES = 32
export const CODES_PER_DAY_MAX = 1_000_000

const name = z.string().check(z.regex(/^[a-z][a-z0-9-]{0,31}$/))
const orderSchema = z.strictObject({
  name,
  role: z.enum(STAFF_ROLES),
  codesPerDay: z.optional(z.int().check(z.minimum(0), z.maximum(CODES_PER_DAY_MAX))),
  /** The account does nothing before it has a second factor. */
  needsFactor: z.optional(z.literal(true)),
})
const accountSchema = z.extend(orderSchema, {
  tokenHash: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  /** Unix ms. */
  since: z.int(),
  revokedAt: z.optional(z.int()),
  factor: z.optional(factorSchema),
})
const fileSchema = z.array(accountSchema).check(z.maxLength(ACCOUNTS_MAX))

type StoredAccount = z.infer<typeof accountSchema>
export interface Account extends Omit<StoredAccount, 'tokenHash' | 'factor'> {
  readonly secondFactor?: FactorState
}

export interface Accounts {
  list(): Promise<Account[]>
  /** A new account from the body of a request, with its token, which nobody gets again. */
  add(order: unknown): Promise<{ account: Account; token: string }>
  revoke(name: string): Promise<void>
  /** The caller with this token, or with this name, unless the account was revoked. */
  byToken(token: string): Promise<Caller | undefined>
  byName(name: string): Promise<Caller | undefined>
  /** A new secret for the authenticator app of an account, in base32. It counts from the first code on. */
  beginFactor(name: string): Promise<string>
  /** Takes a code of an account, once. Throws FORBIDDEN for a wrong one. */
  takeCode(name: string, code: string): Promise<void>
  /** Removes the second factor of an account, whose owner lost it. */
  resetFactor(name: string): Promise<void>
  /** The key by which the server proves to the holder of the account's token that it knows the token's hash. */
  proofKey(name: string): Promise<string | undefined>
}

export function accounts(kept: KeptText, clock: Pick<Clock, 'now'>, random: Random): Accounts {
  const inTurn = oneAtATime()
  const find = async (isIt: (account: StoredAccount) => boolean): Promise<StoredAccount | undefined> =>
    toAccounts(await kept.read()).find((account) => account.revokedAt === undefined && isIt(account))
  /** Writes what `task` makes of the list, again when another process was in the way. */
  const change = <T>(task: (items: readonly StoredAccount[]) => [items: StoredAccount[], result: T]): Promise<T> =>
    inTurn(async () => {
      for (let tries = 0; tries < TRIES_MAX; tries++) {
        const before = await kept.read()
        const [items, result] = task(toAccounts(before))
        if (await kept.change(`${JSON.stringify(items)}\n`, before)) return result
      }
      throw busy()
    })
  const changeOne: ChangeOne = (wanted, task) =>
    change((items) => {
      const account = items.find((item) => item.name === wanted && item.revokedAt === undefined)
      if (account === undefined) return invalid(`no account ${wanted}; see geotrace central accounts list`)
      const [next, result] = task(account)
      return [items.map((item) => (item === account ? next : item)), result]
    })

  return {
    list: async () => toAccounts(await kept.read()).map(toAccount),
    add: async (body) => {
      const token = bytesToHex(random(TOKEN_BYTES))
      const order = toOrder(body)
      const account = { ...order, tokenHash: tokenToHash(token), since: clock.now() }
      await change((items) => {
        if (order.name === OPERATOR.name || items.some((item) => item.name === order.name))
          invalid(`the name ${order.name} was given before; choose another one`)
        if (items.length >= ACCOUNTS_MAX) invalid(`there are ${ACCOUNTS_MAX} accounts already`)
        return [[...items, account], undefined]
      })
      return { account: toAccount(account), token }
    },
    revoke: (wanted) => changeOne(wanted, (account) => [{ ...account, revokedAt: clock.now() }, undefined]),
    async byToken(token) {
      const hash = tokenToHash(token)
      // The hash of a guess tells nothing about the hash of a token, so the comparison need not take constant time.
      const account = await find((item) => item.tokenHash === hash)
      if (account === undefined) return undefined
      const lacks = factorState(account.factor) !== undefined ? 'code' : account.needsFactor && 'factor'
      return { ...toCaller(account), ...(lacks && { lacks }) }
    },
    async byName(wanted) {
      const account = await find((item) => item.name === wanted)
      return account && toCaller(account)
    },
    ...factors(changeOne, clock, random),
    proofKey: async (wanted) => (await find((item) => item.name === wanted))?.tokenHash,
  }
}

type ChangeOne = <T>(
  wanted: string,
  task: (account: StoredAccount) => [account: StoredAccount, result: T],
) => Promise<T>

function factors(
  changeOne: ChangeOne,
  clock: Pick<Clock, 'now'>,
  random: Random,
): Pick<Accounts, 'beginFactor' | 'takeCode' | 'resetFactor'> {
  return {
    beginFactor: (wanted) => {
      const factor = newFactor(random)
      return changeOne(wanted, (account) => {
        if (factorState(account.factor) !== undefined)
          invalid('the account has a second factor; an admin removes it with geotrace central accounts reset-factor')
        return [{ ...account, factor }, toBase32(factorSecret(factor))]
      })
    },
    async takeCode(wanted, code) {
      // The list has the attempt before its answer, so that attempts at several processes count together.
      const isRight = await changeOne(wanted, (account) => {
        if (account.factor === undefined)
          return invalid('the account has no second factor; see geotrace central second-factor')
        const after = afterCode(account.factor, code, clock.now())
        return [{ ...account, factor: after.factor }, after.isRight]
      })
      if (!isRight)
        throw new FederationError('FORBIDDEN', 'the code is wrong or was used; type the next one that the app shows')
    },
    resetFactor: (wanted) => changeOne(wanted, ({ factor: _, ...account }) => [account, undefined]),
  }
}

export function tokenToHash(token: string): string {
  return createHash('sha256').update('geotrace/account\0').update(token).digest('hex')
}

function toAccounts(text: string | undefined): StoredAccount[] {
  if (text === undefined) return []
  try {
    return fileSchema.parse(JSON.parse(text))
  } catch {
    throw new FederationError(
      'STORAGE_CORRUPT',
      'the list of accounts is damaged; restore accounts.json, or the store',
      {
        what: 'accounts',
      },
    )
  }
}

function toOrder(body: unknown): z.infer<typeof orderSchema> {
  const parsed = orderSchema.safeParse(body)
  if (parsed.success) return parsed.data
  const reason = 'an account expected a name of a to z, 0 to 9 and -, a role and a whole number of codes a day'
  return invalid(`${reason}; roles are ${STAFF_ROLES.join(', ')}`)
}

function toAccount({ tokenHash: _, factor, ...account }: StoredAccount): Account {
  const secondFactor = factorState(factor)
  return { ...account, ...(secondFactor && { secondFactor }) }
}

function toCaller({ name, role, codesPerDay }: StoredAccount): Caller {
  return { name, role, ...(codesPerDay !== undefined && { codesPerDay }) }
}

function invalid(reason: string): never {
  throw new FederationError('COMMAND_INVALID', reason, { reason })
}
