/**
 * The accounts of the authority's staff, in `accounts.json` (0600) of the peer's directory. node/CENTRAL.md "Roles". The file
 * has the SHA-256 of each token. A revoked account stays in the list, so that its name in the audit log means one account.
 * Throws COMMAND_INVALID, STORAGE_CORRUPT.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, oneAtATime, type Random } from '@geotrace/core-wasm'
import { bytesToHex, FederationError } from '@geotrace/core-wasm/wire'
import * as z from 'zod/mini'
import { replaceFile } from '../../platform/atomic-file.ts'
import { type Caller, OPERATOR, STAFF_ROLES } from './roles.ts'

const ACCOUNTS_FILE = 'accounts.json'
/** Larger than the staff of any health office. */
const ACCOUNTS_MAX = 1_000
const TOKEN_BYTES = 32
export const CODES_PER_DAY_MAX = 1_000_000

const name = z.string().check(z.regex(/^[a-z][a-z0-9-]{0,31}$/))
const orderSchema = z.strictObject({
  name,
  role: z.enum(STAFF_ROLES),
  codesPerDay: z.optional(z.int().check(z.minimum(0), z.maximum(CODES_PER_DAY_MAX))),
})
const accountSchema = z.extend(orderSchema, {
  tokenHash: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  /** Unix ms. */
  since: z.int(),
  revokedAt: z.optional(z.int()),
})
const fileSchema = z.array(accountSchema).check(z.maxLength(ACCOUNTS_MAX))

type StoredAccount = z.infer<typeof accountSchema>
export type Account = Omit<StoredAccount, 'tokenHash'>

export interface Accounts {
  list(): Promise<Account[]>
  /** A new account from the body of a request, with its token, which nobody gets again. */
  add(order: unknown): Promise<{ account: Account; token: string }>
  revoke(name: string): Promise<void>
  /** The caller with this token, or with this name, unless the account was revoked. */
  byToken(token: string): Promise<Caller | undefined>
  byName(name: string): Promise<Caller | undefined>
  /** The key by which the server proves to the holder of the account's token that it knows the token's hash. */
  proofKey(name: string): Promise<string | undefined>
}

export function accounts(dir: string, clock: Pick<Clock, 'now'>, random: Random): Accounts {
  const path = join(dir, ACCOUNTS_FILE)
  const inTurn = oneAtATime()
  const find = async (isIt: (account: StoredAccount) => boolean): Promise<StoredAccount | undefined> =>
    (await readAccounts(path)).find((account) => account.revokedAt === undefined && isIt(account))
  const write = (items: readonly StoredAccount[]): Promise<void> => replaceFile(path, `${JSON.stringify(items)}\n`)

  return {
    list: async () => (await readAccounts(path)).map(toAccount),
    add: (body) =>
      inTurn(async () => {
        const order = toOrder(body)
        const items = await readAccounts(path)
        if (order.name === OPERATOR.name || items.some((item) => item.name === order.name))
          invalid(`the name ${order.name} was given before; choose another one`)
        if (items.length >= ACCOUNTS_MAX) invalid(`there are ${ACCOUNTS_MAX} accounts already`)
        const token = bytesToHex(random(TOKEN_BYTES))
        const account = { ...order, tokenHash: tokenToHash(token), since: clock.now() }
        await write([...items, account])
        return { account: toAccount(account), token }
      }),
    revoke: (wanted) =>
      inTurn(async () => {
        const items = await readAccounts(path)
        const account = items.find((item) => item.name === wanted && item.revokedAt === undefined)
        if (account === undefined) return invalid(`no account ${wanted}; see geotrace central accounts list`)
        await write(items.map((item) => (item === account ? { ...item, revokedAt: clock.now() } : item)))
      }),
    async byToken(token) {
      const hash = tokenToHash(token)
      // The hash of a guess tells nothing about the hash of a token, so the comparison need not take constant time.
      const account = await find((item) => item.tokenHash === hash)
      return account && toCaller(account)
    },
    async byName(wanted) {
      const account = await find((item) => item.name === wanted)
      return account && toCaller(account)
    },
    proofKey: async (wanted) => (await find((item) => item.name === wanted))?.tokenHash,
  }
}

export function tokenToHash(token: string): string {
  return createHash('sha256').update('geotrace/account\0').update(token).digest('hex')
}

async function readAccounts(path: string): Promise<StoredAccount[]> {
  try {
    return fileSchema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new FederationError('STORAGE_CORRUPT', `${path} is no list of accounts; restore the file`, { what: path })
  }
}

function toOrder(body: unknown): z.infer<typeof orderSchema> {
  const parsed = orderSchema.safeParse(body)
  if (parsed.success) return parsed.data
  const reason = 'an account expected a name of a to z, 0 to 9 and -, a role and a whole number of codes a day'
  return invalid(`${reason}; roles are ${STAFF_ROLES.join(', ')}`)
}

function toAccount({ tokenHash: _, ...account }: StoredAccount): Account {
  return account
}

function toCaller({ name, role, codesPerDay }: StoredAccount): Caller {
  return { name, role, ...(codesPerDay !== undefined && { codesPerDay }) }
}

function invalid(reason: string): never {
  throw new FederationError('COMMAND_INVALID', reason, { reason })
}
