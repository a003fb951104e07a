/** The measures of a central peer for Prometheus. node/CENTRAL.md "Watching". No value names a user, a report or a hash. */
import type { Gauges } from '../../admin/metrics.ts'
import type { CentralPeer } from '../../central/peer.ts'
import { VERSION } from '../terminal/version.ts'

const MIB = 1 << 20

type Status = ReturnType<CentralPeer['status']>
type Condition = Awaited<ReturnType<CentralPeer['condition']>>
type Statistics = Awaited<ReturnType<CentralPeer['statistics']>>
interface CentralMeasures extends Status, Omit<Condition, 'quarantined' | 'stopped'> {
  readonly version: string
  readonly memoryMaxBytes: number
  /** Undefined while the store cannot be read. */
  readonly store: Statistics | undefined
}

export const CENTRAL_GAUGES: Gauges<CentralMeasures> = {
  geotrace_healthy: ['1 while the peer serves, otherwise 0', ({ health }) => (health === 'serving' ? 1 : 0)],
  geotrace_leads: [
    '1 in the process that leads, 0 in others of the same store',
    ({ leads }) => (leads === undefined ? undefined : leads ? 1 : 0),
  ],
  geotrace_roster_height: ['Height of the newest certified roster', ({ roster }) => roster],
  geotrace_rosters_current: [
    '1 while the peer knows the rosters that the others know, otherwise 0',
    ({ standing }) => (standing === 'current' ? 1 : 0),
  ],
  geotrace_evidence: ['Kinds of proven lies in the federation', ({ evidence }) => evidence.length],
  geotrace_peers_asked: ['Peers asked in the last round', ({ reach }) => reach?.asked],
  geotrace_peers_answered: ['Peers that answered in the last round', ({ reach }) => reach?.answered],
  geotrace_syncs: ['Syncs answered since the start', ({ syncs }) => syncs],
  geotrace_syncs_repeated: ['Syncs that came again, since the start', ({ duplicates }) => duplicates],
  geotrace_seal_open: [
    '1 while the peer has the seal key of the newest roster',
    ({ opensSeals }) => (opensSeals ? 1 : 0),
  ],
  geotrace_seal_unknown: ['Frames that no seal key opens, since the start', ({ sealUnknown }) => sealUnknown],
  geotrace_syncs_refused: ['Syncs refused under the seal, since the start', ({ sealedRefusals }) => sealedRefusals],
  geotrace_groups_refused: ['Groups of deposits refused since the start', ({ groupsRefused }) => groupsRefused],
  geotrace_erasures: ['Erasures since the start', ({ erasures }) => erasures],
  geotrace_reports: ['Reports accepted since the start', ({ reports }) => reports],
  geotrace_reports_active: ['Reports that count now', ({ activeReports }) => activeReports],
  geotrace_reports_quarantined: [
    'Reports of which some degrees are not computed',
    ({ quarantined }) => quarantined.length,
  ],
  geotrace_reports_held: ['Reports that wait for the authority', ({ held }) => held.length],
  geotrace_reports_stopped: [
    'Reports that the circuit breaker stopped',
    ({ held }) => held.filter(({ people }) => people !== undefined).length,
  ],
  geotrace_risk_waiting: ['Reports whose marks wait for a computation', ({ riskWaiting }) => riskWaiting],
  geotrace_risk_failures: ['Computations that failed since the start', ({ riskFailures }) => riskFailures],
  geotrace_risk_seconds: ['Seconds spent on computations since the start', ({ riskMs }) => riskMs / 1000],
  geotrace_users: ['Users with deposits', ({ store }) => store?.users],
  geotrace_rows: ['Rows of all days', ({ store }) => store?.days.reduce((sum, { rows }) => sum + rows, 0)],
  geotrace_days: ['UTC days with rows', ({ store }) => store?.days.length],
  geotrace_store_bytes: ['Keys and values of the whole store', ({ store }) => store && store.storeMib * MIB],
  geotrace_store_readable: ['1 while the store can be counted, otherwise 0', ({ store }) => (store ? 1 : 0)],
  geotrace_codes_open: ['Report codes that nobody has used yet', ({ store }) => store?.codes.open],
  geotrace_disk_free_bytes: [
    'Free space of the disk',
    ({ freeMib }) => (freeMib === undefined ? undefined : freeMib * MIB),
  ],
  geotrace_memory_max_bytes: ['Resident memory above which the peer stops', ({ memoryMaxBytes }) => memoryMaxBytes],
}

/** A store that fails hides only its own measures. */
export async function measure(peer: CentralPeer, memoryMaxBytes: number): Promise<CentralMeasures> {
  const [{ health, freeMib }, store] = await Promise.all([peer.condition(), peer.statistics().catch(() => undefined)])
  return { ...peer.status(), health, freeMib, store, memoryMaxBytes, version: VERSION }
}
