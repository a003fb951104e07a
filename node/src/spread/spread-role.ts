/**
 * The roles of the spread on a member: its keys and its service. PROTOCOL.md §9. They sleep until a roster has a spread, so
 * a federation without one has neither the protocol nor its files.
 */
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { manifestToId, peerIdToKey, SPREAD_PROTOCOL } from '@geotrace/core-wasm/wire'
import type { MemberRole, RoleParts } from '../membership/member-role.ts'
import { PeriodKeys } from './period-keys.ts'
import { roleRecords } from './role-records.ts'
import { RoleService } from './role-service.ts'

/** Its folder below the node's directory. */
const SPREAD_DIR = 'spread'

export function spreadRole(parts: RoleParts): MemberRole {
  const { membership, log } = parts
  let running: Promise<{ stop(): Promise<void> }> | undefined
  const wake = (): void => {
    if (running !== undefined || membership.rosters.newest?.roster.spread === undefined) return
    running = open(parts)
    // A full disk, for example: the next roster wakes the roles again.
    running.catch(() => {
      log.error('spread.start-failed')
      running = undefined
    })
  }
  membership.rosters.onAdd(wake)
  return {
    start: wake,
    async stop() {
      const opened = await running?.catch(() => undefined)
      await opened?.stop()
    },
  }
}

async function open({ manifest, signer, host, membership, clock, random, log, dir, openRecords }: RoleParts) {
  const records = roleRecords(await openRecords(join(dir, SPREAD_DIR)))
  const federation = manifestToId(manifest)
  const shared = { federation, signer, table: membership.pool.spreads, records, clock, random, log }
  const service = new RoleService({
    ...shared,
    centralKey: peerIdToKey(manifest.central.peerId),
    publish: (spread) => membership.say({ kind: 'spread', spread }),
    pause: () => setImmediate(),
  })
  const keys = new PeriodKeys({
    ...shared,
    announce: (key) => membership.say({ kind: 'spread-key', ...key }),
    forget: (period) => service.forget(period),
  })
  await host.serve(SPREAD_PROTOCOL, service.handle)
  keys.start()
  return {
    async stop() {
      await keys.stop()
      await service.stop()
    },
  }
}
