import { describe, expect, it } from 'vitest'
import { readAuditLog } from '../../../src/admin/audit-log.ts'
import { membershipRoutes } from '../../../src/admin/membership-routes.ts'
import { accounts } from '../../../src/admin/staff/accounts.ts'
import { textInFile } from '../../../src/admin/staff/kept-text.ts'
import { ownerOf, roleToGrant, STAFF_ROLES } from '../../../src/admin/staff/roles.ts'
import type { CentralPeer } from '../../../src/central/peer.ts'
import { ACTIONS } from '../../../src/cli/central/audit.ts'
import { centralRoutes } from '../../../src/cli/central/routes.ts'
import { staffRoutes } from '../../../src/cli/central/staff-routes.ts'
import { systemRandom } from '../../../src/platform/random.ts'

const clock = { now: () => 5, setTimer: () => () => {} }
const ROUTES = Object.keys({
  ...centralRoutes({} as CentralPeer, '', ''),
  ...membershipRoutes(() => undefined, clock as never),
  ...staffRoutes('', new Uint8Array(32), accounts(textInFile(''), clock, systemRandom), () => readAuditLog('')),
})

describe('the roles of the staff', () => {
  it('each role may do exactly the actions of this table, and an admin may do all of them', () => {
    const expected: Record<string, [caseWorker: string, auditor: string]> = {
      'GET /status': ['all', 'all'],
      'GET /codes': ['own', 'all'],
      'POST /codes': ['own', 'no'],
      'POST /codes/status': ['all', 'no'],
      'POST /codes/revoke': ['all', 'no'],
      'POST /codes/revoke-batch': ['own', 'no'],
      'GET /reports': ['own', 'all'],
      'POST /reports/retract': ['own', 'no'],
      'POST /second-factor': ['all', 'all'],
      'POST /second-factor/confirm': ['all', 'all'],
      'GET /rosters': ['no', 'all'],
      'GET /audit': ['no', 'all'],
      'GET /accounts': ['no', 'all'],
      'GET /profiles': ['no', 'all'],
    }
    for (const route of ROUTES) {
      const [admin, worker, auditor] = STAFF_ROLES.map((role) => roleToGrant(role, route) ?? 'no')
      expect([route, admin, worker, auditor]).toEqual([route, 'all', ...(expected[route] ?? ['no', 'no'])])
    }
    expect(roleToGrant('auditor', 'POST /drain')).toBeUndefined()
    expect(Object.keys(expected).filter((route) => !ROUTES.includes(route))).toEqual([])
  })

  it('an auditor changes nothing, and every route that changes something is written to the audit log', () => {
    const changing = ROUTES.filter((route) => route.startsWith('POST'))
    // Only the own second factor.
    const own = ['POST /second-factor', 'POST /second-factor/confirm']
    expect(changing.filter((route) => roleToGrant('auditor', route) !== undefined)).toEqual(own)
    // These only read, in spite of their method: a code and a change do not belong into a URL.
    const reading = ['POST /codes/status', 'POST /changes/check']
    expect(changing.filter((route) => ACTIONS[route] === undefined)).toEqual(reading)
  })

  it('a case worker owns what the account ordered, and others own everything', () => {
    const anna = { name: 'anna', role: 'case-worker' } as const
    expect(ownerOf(anna, 'GET /codes')).toBe('anna')
    expect(ownerOf(anna, 'POST /codes/status')).toBeUndefined()
    expect(ownerOf({ name: 'berta', role: 'auditor' }, 'GET /codes')).toBeUndefined()
  })
})
