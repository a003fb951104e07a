/** The state of the central peer in numbers and charts: deposits, people, marks, latency, disk, nodes, retention. */
import { BarChart } from '../charts.tsx'
import type { PeerStatus, ReportOutcome, RosterPage } from '../control.ts'
import { Card, Table } from '../pieces.tsx'
import { usePolled } from '../polled.ts'
import { count, day, mebibytes, minute, plural, span } from '../words.ts'

const DAY_MS = 86_400_000
const EPOCH_MS = 4_800_000
/** Upper ends of the classes of latency. */
const LATENCIES = [
  ['1 min', 60_000],
  ['10 min', 600_000],
  ['1 h', 3_600_000],
  ['4 h', 14_400_000],
  ['1 day', DAY_MS],
  ['longer', Number.POSITIVE_INFINITY],
] as const

export function OverviewView() {
  const { value: status, fault } = usePolled<PeerStatus>('/status')
  const { value: reports } = usePolled<{ reports: ReportOutcome[] }>('/reports')
  const { value: rosters } = usePolled<RosterPage>('/rosters')
  if (status === undefined) return <p class="quiet">{fault?.message ?? 'Reading …'}</p>
  return (
    <>
      <Alarms status={status} />
      <StateCards status={status} reports={reports?.reports ?? []} />
      <h2>Deposits and marks</h2>
      <div class="charts">
        <BarChart title="Hashes by day of the encounter" unit="hashes" bars={dayBars(status)} />
        <BarChart title="People marked, by degree" unit="people" bars={degreeBars(reports?.reports ?? [])} />
        <BarChart title="From report to marks" unit="reports" bars={latencyBars(reports?.reports ?? [])} />
      </div>
      <h2>The federation</h2>
      <Federation status={status} rosters={rosters} />
    </>
  )
}

function Alarms({ status }: { status: PeerStatus }) {
  const alarms = [
    ...(status.health === 'serving' ? [] : [`The central peer is not healthy: ${status.health}.`]),
    ...(status.store === undefined ? [] : [`The store is ${status.store}.`]),
    ...status.held.flatMap(({ report, people }) =>
      people === undefined
        ? []
        : [`The circuit breaker stopped report ${report}: it would mark ${plural(people, 'person', 'people')}.`],
    ),
    ...status.quarantined.map(({ report, bound }) => `Report ${report} exceeds the bound "${bound}" of a computation.`),
    ...(status.evidence.length === 0 ? [] : [`Proven lies in the federation: ${status.evidence.join(', ')}.`]),
  ]
  if (alarms.length === 0) return <p class="notice good">No alarm. The store is sound, and the peer serves.</p>
  return (
    <ul class="notice alarm">
      {alarms.map((alarm) => (
        <li key={alarm}>{alarm}</li>
      ))}
    </ul>
  )
}

function StateCards({ status, reports }: { status: PeerStatus; reports: readonly ReportOutcome[] }) {
  const { held, days = [], codes, freeMib, storeMib } = status
  const rows = days.reduce((sum, item) => sum + item.rows, 0)
  const marked = reports.reduce((sum, item) => sum + item.marked, 0)
  const waiting = held.filter(({ people }) => people === undefined).length
  const oldest = days[0] === undefined ? 'no day yet' : `the oldest day is ${day(days[0].day * DAY_MS)}`
  const integrity = status.health === 'store-damaged' ? 'damaged' : 'sound'
  return (
    <div class="cards">
      <Card
        title="State"
        value={status.state}
        words={`salting ${status.salting}`}
        alarm={status.health !== 'serving'}
      />
      <Card title="Users" value={count(status.users ?? 0)} words={`${plural(status.syncs, 'sync')} since the start`} />
      <Card title="Hashes" value={count(rows)} words={`on ${plural(days.length, 'day')}`} />
      <Card
        title="Reports"
        value={count(reports.length)}
        words={`${plural(status.activeReports, 'report')} counting now`}
      />
      <Card title="Waiting for review" value={count(waiting)} words="reports that are held" alarm={waiting > 0} />
      <Card title="People marked" value={count(marked)} words="by reports that are kept" />
      <Card title="Open codes" value={count(codes?.open ?? 0)} words={`${count(codes?.spent ?? 0)} spent`} />
      <Card
        title="Computation"
        value={status.riskWaiting === 0 ? 'idle' : plural(status.riskWaiting, 'report')}
        words={`${plural(status.riskFailures, 'failure')}; ${span(status.riskMs)} of work since the start`}
        alarm={status.riskFailures > 0}
      />
      <Card
        title="Store"
        value={storeMib === undefined ? 'unreadable' : mebibytes(storeMib)}
        words={`${integrity}; ${freeMib === undefined ? 'in memory' : `${mebibytes(freeMib)} free on the disk`}`}
        alarm={storeMib === undefined || integrity === 'damaged'}
      />
      <Card title="Retention" value={plural(status.retentionDays, 'day')} words={oldest} />
      <Card
        title="Profile"
        value={status.profile.name}
        words={
          status.profile.version === 0 ? 'as it comes with Geo Trace' : `version ${status.profile.version}, signed`
        }
      />
      <Card title="Erasures" value={count(status.erasures)} words={`${plural(status.duplicates, 'repeated sync')}`} />
    </div>
  )
}

function dayBars({ days = [] }: PeerStatus) {
  return days.map(({ day: number, rows }) => ({ name: day(number * DAY_MS), value: rows }))
}

function degreeBars(reports: readonly ReportOutcome[]) {
  const degrees = Math.max(0, ...reports.map(({ people }) => people?.length ?? 0))
  return Array.from({ length: degrees }, (_, i) => ({
    name: `degree ${i + 1}`,
    value: reports.reduce((sum, { people }) => sum + (people?.[i] ?? 0), 0),
  }))
}

function latencyBars(reports: readonly ReportOutcome[]) {
  const classes = LATENCIES.map(([name]) => ({ name, value: 0 }))
  for (const { at, publishedAt } of reports) {
    if (publishedAt !== undefined) classes[LATENCIES.findIndex(([, end]) => publishedAt - at < end)]!.value++
  }
  return classes
}

function Federation({ status, rosters }: { status: PeerStatus; rosters: RosterPage | undefined }) {
  const { reach } = status
  const newest = [...(rosters?.rosters ?? [])].sort((a, b) => b.height - a.height)
  return (
    <>
      {rosters?.isForked && <p class="notice alarm">Two rosters contradict each other. Run geotrace federation log.</p>}
      <p>
        {status.federation}, {status.federationId}.{' '}
        {reach === undefined
          ? 'No peer was asked yet.'
          : `${reach.answered} of ${plural(reach.asked, 'peer')} answered.`}
      </p>
      {newest.length > 0 && (
        <Table name="Rosters" head={['Roster', 'in force from', 'operators', 'salt nodes', 'votes', 'changes']}>
          {newest.map(({ height, firstEpoch, operators, members, votes, changes }) => (
            <tr key={height}>
              <th scope="row">{count(height)}</th>
              <td>{minute(firstEpoch * EPOCH_MS)}</td>
              <td class="number">{count(operators)}</td>
              <td class="number">{count(members)}</td>
              <td class="number">{count(votes)}</td>
              <td>{changes.join('; ')}</td>
            </tr>
          ))}
        </Table>
      )}
    </>
  )
}
