/** A sync while it runs, and its result in numbers. */

import '../styles/sync.css'
import type { Preview, SyncProgress, SyncResult, Tracer } from '@geotrace/client'
import { HOUR_MS } from '@geotrace/core-wasm/wire'
import { useEffect, useState } from 'preact/hooks'
import { useNow } from '../now.ts'
import { consents, diary, online, syncing } from '../session/state.ts'
import { syncNow } from '../session/sync.ts'
import { Rich } from '../text/rich.tsx'
import { format, later } from '../text/text.ts'
import { Status } from './status.tsx'

const PHASES: readonly SyncProgress['phase'][] = ['rosters', 'salts', 'hashes', 'deposit']

export default function SyncView({ tracer }: { tracer: Tracer }) {
  const { running, progress, last, failed } = syncing.value
  const { deposit } = consents.value
  const connected = online.value
  const now = useNow()
  const { sync: text } = later()
  const { relative } = format()
  const nextAt = last && Math.max(last.at + HOUR_MS, last.result.next.allowedAt)
  return (
    <div class="page">
      <h1>{text.title}</h1>
      <Status tracer={tracer} />
      <p class="lead">{text.lead}</p>
      {!deposit && (
        <p class="card quiet">
          <Rich text={text.notAgreed} parts={{ a: (inner) => <a href="#/settings">{inner}</a> }} />
        </p>
      )}
      <section class="card" aria-label={text.label} aria-live="polite">
        <div class="row spread">
          <button type="button" class="primary large" disabled={running || !deposit} onClick={() => void syncNow()}>
            {running ? text.running : text.now}
          </button>
          <p class="small right">
            {last === undefined ? text.notYet : text.last(relative(last.at, now))}
            <br />
            {nextAt !== undefined && (nextAt <= now ? text.nextNow : text.next(relative(nextAt, now)))}
          </p>
        </div>
        {running && <Progress progress={progress} />}
        {failed !== undefined && !running && (
          <p class="warning" role="alert">
            {connected ? failed.why : text.noNetwork}
          </p>
        )}
      </section>
      <Waiting tracer={tracer} due={last?.result.next.dueAt} now={now} />
      {last !== undefined && <Result result={last.result} />}
    </div>
  )
}

function Progress({ progress }: { progress: SyncProgress | undefined }) {
  const at = progress === undefined ? -1 : PHASES.indexOf(progress.phase)
  const { sync: text } = later()
  const share = progress === undefined || progress.of === 0 ? 0 : progress.done / progress.of
  return (
    <div class="progress">
      <progress aria-label={text.progress} max={PHASES.length} value={Math.max(0, at) + share} />
      <ol>
        {PHASES.map((phase, i) => (
          <li key={phase} data-state={i < at ? 'done' : i === at ? 'now' : 'later'}>
            {text.phases[phase]}
            {i === at && progress!.of > 1 && text.done(progress!.done, progress!.of)}
          </li>
        ))}
      </ol>
    </div>
  )
}

function Waiting({ tracer, due, now }: { tracer: Tracer; due: number | undefined; now: number }) {
  const entries = diary.value
  const { running } = syncing.value
  const { sync: text } = later()
  const [next, setNext] = useState<Preview | undefined>(undefined)
  useEffect(() => void tracer.preview().then(setNext), [entries, running])
  if (next === undefined) return null
  const { fixesWaiting, fixesOpen, fixesHeld, epochs, totals } = next
  const rows = epochs.reduce((sum, epoch) => sum + epoch.rows, 0)
  return (
    <section class="card" aria-labelledby="waiting">
      <h2 id="waiting">{text.here}</h2>
      <dl class="facts">
        <Fact name={text.waiting} value={fixesWaiting + fixesOpen} unit={text.positions} />
        <Fact name={text.held} value={fixesHeld} unit={text.positions} />
        <Fact name={text.ready} value={rows} unit={text.prints} />
        <Fact name={text.deposited} value={totals.rowsDeposited} unit={text.prints} />
        <Fact name={text.lost} value={totals.fixesLost} unit={text.positions} bad={totals.fixesLost > 0} />
        <Fact name={text.rowsLost} value={totals.rowsLost} unit={text.prints} bad={totals.rowsLost > 0} />
      </dl>
      {due !== undefined && fixesWaiting > 0 && (
        <p class="small">{due <= now ? text.oldestNow : text.oldest(format().relative(due, now))}</p>
      )}
      {fixesHeld > 0 && (
        <p class="small">
          <Rich text={text.heldWhy} parts={{ a: (inner) => <a href="#/settings">{inner}</a> }} />
        </p>
      )}
    </section>
  )
}

function Result({ result }: { result: SyncResult }) {
  const { fixesHashed, fixesLost, fixesDeferred, fixesRedacted, saltsAsked, saltsReused, saltRequests, nodesLied } =
    result
  const { rowsLostToRoster, pinsContradicted } = result
  const { sync: text } = later()
  const { bytes, seconds, milliseconds } = format()
  const { points, rowsDeposited, rowsRefused, batches, marksNew, bytesUp, bytesDown, clockOffsetMs, spentMs } = result
  return (
    <section class="card" aria-labelledby="result">
      <h2 id="result">{text.result}</h2>
      <dl class="facts">
        <Fact
          name={text.hashed}
          value={fixesHashed}
          unit={text.positions}
          note={points > 0 ? text.points(points) : undefined}
        />
        <Fact name={text.salts} value={saltsAsked} unit={text.asked} note={text.reused(saltsReused, saltRequests)} />
        <Fact name={text.sentRows} value={rowsDeposited} unit={text.prints} note={text.batches(batches)} />
        <Fact name={text.marks} value={marksNew} unit={text.prints} bad={marksNew > 0} />
        <Fact name={text.sent} value={bytes(bytesUp)} note={text.received(bytes(bytesDown))} />
        <Fact
          name={text.clock}
          value={clockOffsetMs === undefined ? text.notAsked : seconds(clockOffsetMs / 1000)}
          note={clockOffsetMs === undefined ? undefined : text.clockOff}
        />
        {fixesLost > 0 && <Fact name={text.fixesLost} value={fixesLost} unit={text.positions} bad />}
        {fixesDeferred > 0 && <Fact name={text.deferred} value={fixesDeferred} unit={text.wait} bad />}
        {fixesRedacted > 0 && <Fact name={text.dropped} value={fixesRedacted} unit={text.positions} />}
        {rowsRefused > 0 && <Fact name={text.refused} value={rowsRefused} unit={text.prints} bad />}
        {nodesLied > 0 && <Fact name={text.lied} value={nodesLied} unit={text.volunteers} bad />}
        {rowsLostToRoster > 0 && <Fact name={text.lostToRoster} value={rowsLostToRoster} unit={text.prints} bad />}
        {pinsContradicted > 0 && <Fact name={text.contradicted} value={pinsContradicted} unit={text.times} bad />}
      </dl>
      <p class="small">
        {text.spent(milliseconds(spentMs.salt), milliseconds(spentMs.hash), milliseconds(spentMs.deposit))}
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
        <strong>{typeof value === 'number' ? format().number(value) : value}</strong> {unit}
        {note !== undefined && <small>{note}</small>}
      </dd>
    </div>
  )
}
