/**
 * The roles of the authority's staff, and the table of who may do what. node/CENTRAL.md "Roles". Pure. An action is a route of
 * the control server. An action that the table does not name is for admins only.
 */
export const STAFF_ROLES = ['admin', 'case-worker', 'auditor'] as const
export type StaffRole = (typeof STAFF_ROLES)[number]

/** The sender of a request. */
export interface Caller {
  readonly name: string
  readonly role: StaffRole
  /** Codes that this caller may order in a UTC day; undefined without a quota. */
  readonly codesPerDay?: number
  /** The account has a second factor and shows no code of it, or it needs one first. Both may do little. */
  readonly lacks?: 'code' | 'factor'
}

/** The holder of admin.json. */
export const OPERATOR: Caller = { name: 'operator', role: 'admin' }

/** `own`: only batches that the caller ordered, and their reports. */
type Grant = 'all' | 'own'

const GRANTS: Readonly<Record<string, Readonly<Partial<Record<StaffRole, Grant>>>>> = {
  'GET /me': { 'case-worker': 'all', auditor: 'all' },
  'POST /login': { 'case-worker': 'all', auditor: 'all' },
  'POST /second-factor': { 'case-worker': 'all', auditor: 'all' },
  'POST /second-factor/confirm': { 'case-worker': 'all', auditor: 'all' },
  'POST /second-factor/session': { 'case-worker': 'all', auditor: 'all' },
  'GET /status': { 'case-worker': 'all', auditor: 'all' },
  'GET /codes': { 'case-worker': 'own', auditor: 'all' },
  'POST /codes': { 'case-worker': 'own' },
  'POST /codes/status': { 'case-worker': 'all' },
  'POST /codes/revoke': { 'case-worker': 'all' },
  'POST /codes/revoke-batch': { 'case-worker': 'own' },
  'GET /reports': { 'case-worker': 'own', auditor: 'all' },
  'POST /reports/retract': { 'case-worker': 'own' },
  'GET /rosters': { auditor: 'all' },
  'GET /audit': { auditor: 'all' },
  'GET /spread': { auditor: 'all' },
  'GET /spread/files': { auditor: 'all' },
  'GET /accounts': { auditor: 'all' },
  'GET /profiles': { auditor: 'all' },
}

/** The actions of an account that lacks something. */
const LACKING: Readonly<Record<NonNullable<Caller['lacks']>, readonly string[]>> = {
  code: ['GET /me', 'POST /second-factor/session'],
  factor: ['GET /me', 'POST /second-factor', 'POST /second-factor/confirm'],
}

/** Why the caller may not do this now; undefined when the caller may. */
export function refusalOf({ role, lacks }: Caller, action: string): string | undefined {
  if (roleToGrant(role, action) === undefined) return `the role ${role} may not do this; ask an admin`
  if (lacks === undefined || LACKING[lacks].includes(action)) return undefined
  return lacks === 'code'
    ? 'the account has a second factor; run geotrace central sign-in with the same --as'
    : 'the account needs a second factor first; run geotrace central second-factor with the same --as'
}

export function roleToGrant(role: StaffRole, action: string): Grant | undefined {
  return role === 'admin' ? 'all' : GRANTS[action]?.[role]
}

/** The name of a caller who may act on own batches only; undefined for a caller who may act on all. */
export function ownerOf({ name, role }: Caller, action: string): string | undefined {
  return roleToGrant(role, action) === 'own' ? name : undefined
}
