/**
 * The file of an account (0600): the port of the control server, the name and the token. node/CENTRAL.md "Roles".
 * `geotrace central accounts add` writes the file, and a person of the staff keeps it. Throws COMMAND_INVALID.
 */
import { readFile } from 'node:fs/promises'
import { FederationError } from '@geotrace/core-wasm/wire'
import * as z from 'zod/mini'
import { createFiles, replaceFile } from '../../platform/atomic-file.ts'

const schema = z.strictObject({
  name: z.string().check(z.maxLength(32)),
  port: z.int().check(z.minimum(1), z.maximum(65_535)),
  token: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
})
export type AccountFile = z.infer<typeof schema>

/** Rejects with EEXIST when the file exists. */
export async function writeAccountFile(path: string, account: AccountFile): Promise<void> {
  await createFiles([{ path, content: `${JSON.stringify(account)}\n` }])
}

export async function readAccountFile(path: string): Promise<AccountFile> {
  const text = await readFile(path, 'utf8').catch(() => '')
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    const reason = `${path} is no file of an account; an admin makes one with geotrace central accounts add`
    throw new FederationError('COMMAND_INVALID', reason, { reason })
  }
}

const SESSION = /^[0-9a-f]{64}$/

/** The session that `geotrace central sign-in` opened, in a file beside that of the account (0600). */
export async function readSession(path: string): Promise<string | undefined> {
  const text = await readFile(sessionPath(path), 'utf8').catch(() => '')
  return SESSION.test(text) ? text : undefined
}

export async function writeSession(path: string, session: string): Promise<void> {
  await replaceFile(sessionPath(path), session)
}

function sessionPath(path: string): string {
  return `${path}.session`
}
