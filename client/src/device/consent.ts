/**
 * Keeps the user's consents in the storage. README "Consent". The consents count only for a tracer with
 * `consent: 'required'`; an app that asks in its own way leaves that option out. `spread` counts for every tracer, and without it
 * a report says nowhere. A withdrawal counts from then on;
 * `eraseAll` also erases earlier data. Throws CONSENT_MISSING, TypeError.
 */
import { FederationError } from '@geotrace/core-wasm'
import { decodeRecord, encodeRecord, KEYS } from '../storage/key-layout.ts'
import { put, type Storage } from '../storage/storage.ts'

/**
 * `record`: keep a diary here. `deposit`: deposit hashes with the central peer. `report`: report a positive test. `spread`: let
 * a report count one place where this device was, without its name.
 */
export const CONSENT_KINDS = ['record', 'deposit', 'report', 'spread'] as const
export type ConsentKind = (typeof CONSENT_KINDS)[number]

export type Consents = Readonly<Record<ConsentKind, boolean>>

export interface ConsentControl {
  status(): Promise<Consents>
  give(kind: ConsentKind): Promise<void>
  withdraw(kind: ConsentKind): Promise<void>
}

const NONE: Consents = { record: false, deposit: false, report: false, spread: false }

export async function readConsents(storage: Storage): Promise<Consents> {
  const bytes = await storage.get(KEYS.consents)
  return bytes === undefined ? NONE : { ...NONE, ...decodeRecord<Partial<Consents>>(KEYS.consents, bytes) }
}

export async function writeConsent(storage: Storage, kind: ConsentKind, given: boolean): Promise<void> {
  if (!CONSENT_KINDS.includes(kind)) throw new TypeError(`"kind" expected ${CONSENT_KINDS.join(', ')}, got ${kind}`)
  await storage.batch([put(KEYS.consents, encodeRecord({ ...(await readConsents(storage)), [kind]: given }))])
}

/** Throws CONSENT_MISSING. */
export async function assertConsent(storage: Storage, kind: ConsentKind): Promise<void> {
  if ((await readConsents(storage))[kind]) return
  throw new FederationError(
    'CONSENT_MISSING',
    `the user has not agreed to ${kind}: ask the user, then call consent.give`,
    { kind },
  )
}
