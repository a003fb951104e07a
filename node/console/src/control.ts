/**
 * Requests to the control server of the central peer. node/CENTRAL.md "Control". The code of the link stands behind the #, works
 * once, and becomes a session that this tab keeps until it closes.
 */
import type { AuditLine } from '../../src/admin/audit-log.ts'
import type { Account } from '../../src/admin/staff/accounts.ts'
import type { StaffRole } from '../../src/admin/staff/roles.ts'
import type { CodeBatch } from '../../src/central/codes/batches.ts'
import type { CodeStatus, IssuedCodes } from '../../src/central/codes/codes.ts'
import type { CodeOrder } from '../../src/central/codes/order.ts'
import type { CentralPeer } from '../../src/central/peer.ts'
import type { ReportOutcome } from '../../src/central/peer-status.ts'
import type { ReviewDecision } from '../../src/central/review/report-review.ts'
import type { RiskSummary } from '../../src/central/risk/dry-run.ts'
import type { SpreadAnswer, SpreadFiles } from '../../src/cli/spread/routes.ts'

export type {
  Account,
  AuditLine,
  CodeBatch,
  CodeOrder,
  CodeStatus,
  IssuedCodes,
  ReportOutcome,
  ReviewDecision,
  RiskSummary,
  SpreadAnswer,
  SpreadFiles,
}

type Settled<T> = T extends (...args: never[]) => Promise<infer R> ? R : never
export interface Me {
  readonly name: string
  readonly role: StaffRole
}
/** The answer of `GET /status`. */
export type PeerStatus = ReturnType<CentralPeer['status']> &
  Omit<Settled<CentralPeer['condition']>, 'quarantined'> &
  Partial<Settled<CentralPeer['statistics']>> & { salting: string; federationId: string; store?: string }
export interface AuditPage {
  readonly lines: readonly AuditLine[]
  readonly count: number
  readonly head: string
  readonly broken: readonly number[]
}
export interface RosterPage {
  readonly isForked: boolean
  readonly rosters: readonly {
    readonly height: number
    readonly firstEpoch: number
    readonly operators: number
    readonly members: number
    readonly votes: number
    readonly changes: readonly string[]
  }[]
}

const SESSION = 'session'

/** A refusal of the server, with the code that a command would show. */
export class Refused extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

export async function signIn(): Promise<void> {
  const code = location.hash.slice(1)
  if (!/^[0-9a-f]{32}$/.test(code)) return
  // The code is used up in any case, so it need not stay in the address.
  history.replaceState(null, '', '/')
  const reply = await fetch('/session', { method: 'POST', body: JSON.stringify(code) }).catch(() => undefined)
  if (reply?.ok) sessionStorage.setItem(SESSION, ((await reply.json()) as { session: string }).session)
}

export function signOut(): void {
  sessionStorage.removeItem(SESSION)
}

export const get = <T>(path: string): Promise<T> => send<T>('GET', path)
export const post = <T>(path: string, body: object): Promise<T> => send<T>('POST', path, body)

async function send<T>(method: string, path: string, body?: object): Promise<T> {
  const session = sessionStorage.getItem(SESSION)
  if (session === null) throw new Refused('SIGNED_OUT', 'not signed in')
  const reply = await fetch(path, {
    method,
    headers: { authorization: `Bearer ${session}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }).catch(() => undefined)
  if (reply === undefined) throw new Refused('UNREACHABLE', 'The central peer does not answer.')
  if (reply.status === 401) throw new Refused('SIGNED_OUT', 'the session has ended')
  const value = (await reply.json()) as { code?: string; message?: string }
  if (!reply.ok) throw new Refused(value.code ?? 'REFUSED', value.message ?? 'refused')
  return value as T
}
