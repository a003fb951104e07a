/** A sync while it runs, and its result in numbers. */

import '../styles/sync.css'
import type { Preview, SyncProgress, SyncResult, Tracer } from '@geotrace/client'
import { HOUR_MS } from '@geotrace/core-wasm/wire'
import { useEffect, useState } from 'preact/hooks'
import { useNow } from '../now.ts'
import { consents, diary, online, syncing } from '../session/state.ts'
import { syncNow } from '../session/sync.ts'
import { ago, bytes, count, inMinutes } from '../words.ts'
import { Status } from './status.tsx'

const PHASES: readonly { phase: SyncProgress['phase']; text: string }[] = [
  { phase: 'rosters', text: 'The list of the federation’s peers' },
  { phase: 'salts', text: 'Salts from volunteers' },
  { phase: 'hashes', text: 'Hashes on this device' },
  { phase: 'deposit', text: 'Deposit and reply' },
]

export function SyncView({ tracer }: { tracer: Tracer }) {
  const { running, progress, last, failed } = syncing.value
  const { deposit } = consents.value
  const connected = online.value
  const now = useNow()
  return (
    <div class="page">
      <h1>Sync</h1>
      <Status tracer={tracer} />
      <p class="lead">
        Once an hour this device asks volunteers for salts, turns the diary into hashes, deposits them and reads what
        comes back. It looks the same whether there is something to say or not.
      </p>
      {!deposit && (
        <p class="card quiet">
          You have not agreed to deposits. <a href="#/settings">Change that in the settings.</a>
        </p>
      )}
      <section class="card" aria-label="This sync" aria-live="polite">
        <div class="row spread">
          <button type="button" class="primary large" disabled={running || !deposit} onClick={() => void syncNow()}>
            {running ? 'Syncing …' : 'Sync now'}
          </button>
          <p class="small right">
            {last === undefined ? 'Not yet since the app was opened' : `Last ${ago(last.at, now)}`}
            <br />
            {last !== undefined && `Next ${inMinutes(Math.max(last.at + HOUR_MS, last.result.next.allowedAt), now)}`}
          </p>
        </div>
        {running && <Progress progress={progress} />}
        {failed !== undefined && !running && (
          <p class="warning" role="alert">
            {connected
              ? failed.why
              : 'There is no network. The app tries again by itself; nothing is lost for three hours.'}
          </p>
        )}
      </section>
      <Waiting tracer={tracer} due={last?.result.next.dueAt} now={now} />
      {last !== undefined && <Result result={last.result} />}
    </div>
  )
}

function Progress({ progress }: { progress: SyncProgress | undefined }) {
  const at = PHASES.findIndex(({ phase }) => phase === progress?.phase)
  const share = progress === undefined || progress.of === 0 ? 0 : progress.done / progress.of
  return (
    <div class="progress">
      <progress aria-label="The sync's progress" max={PHASES.length} value={Math.max(0, at) + share} />
      <ol>
        {PHASES.map(({ phase, text }, i) => (
          <li key={phase} data-state={i < at ? 'done' : i === at ? 'now' : 'later'}>
            {text}
            {i === at && progress!.of > 1 && ` (${progress!.done} of ${progress!.of})`}
          </li>
        ))}
      </ol>
    </div>
  )
}

function Waiting({ tracer, due, now }: { tracer: Tracer; due: number | undefined; now: number }) {
  const entries = diary.value
  const { running } = syncing.value
  const [next, setNext] = useState<Preview | undefined>(undefined)
  useEffect(() => void tracer.preview().then(setNext), [entries, running])
  if (next === undefined) return null
  const { fixesWaiting, fixesOpen, fixesHeld, epochs, totals } = next
  const rows = epochs.reduce((sum, epoch) => sum + epoch.rows, 0)
  return (
    <section class="card" aria-labelledby="waiting">
      <h2 id="waiting">On this device</h2>
      <dl class="facts">
        <Fact name="Waiting for salts" value={fixesWaiting + fixesOpen} unit="fixes" />
        <Fact name="Waiting until home is known" value={fixesHeld} unit="fixes" />
        <Fact name="Ready to deposit" value={rows} unit="hashes" />
        <Fact name="Deposited so far" value={totals.rowsDeposited} unit="hashes" />
        <Fact name="Could not be matched" value={totals.fixesLost} unit="fixes" bad={totals.fixesLost > 0} />
        <Fact name="Hashes refused or too late" value={totals.rowsLost} unit="hashes" bad={totals.rowsLost > 0} />
      </dl>
      {due !== undefined && fixesWaiting > 0 && (
        <p class="small">The oldest is lost unless a sync begins {inMinutes(due, now)}.</p>
      )}
      {fixesHeld > 0 && (
        <p class="small">
          Hashes are made in time but stay here while your home is unknown. <a href="#/settings">Mark your home</a> to
          let them go.
        </p>
      )}
    </section>
  )
}

function Result({ result }: { result: SyncResult }) {
  const { fixesHashed, fixesLost, fixesDeferred, fixesRedacted, saltsAsked, saltsReused, saltRequests, nodesLied } =
    result
  const { rowsLostToRoster, pinsContradicted } = result
  const { points, rowsDeposited, rowsRefused, batches, marksNew, bytesUp, bytesDown, clockOffsetMs, spentMs } = result
  return (
    <section class="card" aria-labelledby="result">
      <h2 id="result">What the last sync did</h2>
      <dl class="facts">
        <Fact
          name="Hashed"
          value={fixesHashed}
          unit="fixes"
          note={points > 0 ? count(points, 'risk point') : undefined}
        />
        <Fact
          name="Salts"
          value={saltsAsked}
          unit="asked"
          note={`${saltsReused} reused, ${count(saltRequests, 'request')}`}
        />
        <Fact name="Deposited" value={rowsDeposited} unit="hashes" note={count(batches, 'batch', 'batches')} />
        <Fact name="New marks" value={marksNew} unit="hashes at risk" bad={marksNew > 0} />
        <Fact name="Sent" value={bytes(bytesUp)} note={`received ${bytes(bytesDown)}`} />
        <Fact
          name="Clock"
          value={clockOffsetMs === undefined ? 'not asked' : `${(clockOffsetMs / 1000).toFixed(1)} s`}
          note={clockOffsetMs === undefined ? undefined : 'off the volunteers’'}
        />
        {fixesLost > 0 && <Fact name="Lost, older than three hours" value={fixesLost} unit="fixes" bad />}
        {fixesDeferred > 0 && <Fact name="No volunteer answered" value={fixesDeferred} unit="fixes wait" bad />}
        {fixesRedacted > 0 && <Fact name="Dropped near home or in a zone" value={fixesRedacted} unit="fixes" />}
        {rowsRefused > 0 && <Fact name="Refused" value={rowsRefused} unit="hashes" bad />}
        {nodesLied > 0 && <Fact name="Volunteers caught lying" value={nodesLied} unit="nodes" bad />}
        {rowsLostToRoster > 0 && <Fact name="Lost to another roster" value={rowsLostToRoster} unit="hashes" bad />}
        {pinsContradicted > 0 && (
          <Fact name="Authority contradicted itself" value={pinsContradicted} unit="epochs" bad />
        )}
      </dl>
      <p class="small">
        Salts took {Math.round(spentMs.salt)} ms, hashing {Math.round(spentMs.hash)} ms, the deposit{' '}
        {Math.round(spentMs.deposit)} ms.
      </p>
    </section>
  )
}

interface FactProps {
  name: string
  value: number | string
  unit?: string
  note?: string | undefined
  bad?: boolean
}

export function Fact({ name, value, unit, note, bad = false }: FactProps) {
  return (
    <div class={bad ? 'fact bad' : 'fact'}>
      <dt>{name}</dt>
      <dd>
        <strong>{typeof value === 'number' ? value.toLocaleString() : value}</strong> {unit}
        {note !== undefined && <small>{note}</small>}
      </dd>
    </div>
  )
}
